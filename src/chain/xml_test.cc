#include "chain/xml.h"

#include "matchers.h"

namespace vmcred::chain::xml {
namespace {

using testing::HasSubstr;
using testing::Succeeds;

TEST(Xml, IsATreeWithPlaces) {
  const auto root = read("<?xml version='1.0'?>\n<a x='1'>\n  <b>one &amp; <![CDATA[<two>]]></b><b/>\n</a>\n");
  ASSERT_THAT(root, Succeeds());
  EXPECT_EQ(root->name, "a");
  ASSERT_EQ(root->all("b").size(), 2U);
  EXPECT_EQ(root->child("b")->text, "one & <two>");
  EXPECT_EQ(root->child("b")->line, 3);
  EXPECT_EQ(root->child("b")->column, 3);
  EXPECT_EQ(*root->attribute("x"), "1");
  EXPECT_EQ(root->attribute("y"), nullptr);
  EXPECT_EQ(root->child("c"), nullptr);
}

TEST(Xml, NamesNamespacesAsTheyAreDeclared) {
  const auto root = read("<a xmlns:q='http://one'><q:b xmlns:q='http://two'><q:c/></q:b><q:d/><r:e/></a>");
  ASSERT_THAT(root, Succeeds());
  EXPECT_EQ(root->child("b")->space, "http://two");
  EXPECT_EQ(root->child("b")->child("c")->space, "http://two");
  EXPECT_EQ(root->child("d")->space, "http://one");
  EXPECT_EQ(root->child("e")->space, "r");
  EXPECT_EQ(root->space, "");
}

TEST(Xml, ReadsCharactersAsTheyAreMeant) {
  EXPECT_EQ(read("<a>&#46;&#x41;</a>")->text, ".A");
  EXPECT_EQ(read("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>")->text, "\xc3\xa9");
  EXPECT_EQ(read("<a> x\n</a>")->text, " x\n");
}

TEST(Xml, RefusesWhatIsNoneAndWhatIsTooMuch) {
  for (const char* text : {"", "hello", "<a>", "<a></b>", "<a/><b/>", "<a>&nope;</a>", "<a x=1/>"})
    EXPECT_FALSE(read(text)) << text;
  EXPECT_THAT(read("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
              testing::FailsWith(Errc::invalid_data, HasSubstr("entities")));
  EXPECT_THAT(read("<!DOCTYPE a SYSTEM 'x.dtd'><a/>"), Succeeds());
  std::string deep;
  for (int i = 0; i <= kMaxDepth; ++i) deep += "<a>";
  EXPECT_FALSE(read(deep));
}

}  // namespace
}  // namespace vmcred::chain::xml
