// The words of a kernel's command line, and the credentials on it.
#include "declare/kernel_line.h"

#include <gmock/gmock.h>

namespace vmcred::declare {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(KernelLine, IsSplitAsSystemdSplitsIt) {
  EXPECT_THAT(kernel_words("  ro\troot=/dev/vda\n"), ElementsAre("ro", "root=/dev/vda"));
  EXPECT_THAT(kernel_words(R"(a="b c" 'd e'f "")"), ElementsAre("a=b c", "d ef", ""));
  EXPECT_THAT(kernel_words(R"(a="it's" open="x y)"), ElementsAre("a=it's", "open=x y"));
  EXPECT_THAT(kernel_words(" \t"), IsEmpty());
}

TEST(KernelLine, NamesTheCredentialThatItSets) {
  EXPECT_EQ(credential_on_kernel_line("ro systemd.set_credential=db:x"), "db");
  EXPECT_EQ(credential_on_kernel_line("systemd.set-credential-binary=db:eA=="), "db");
  EXPECT_EQ(credential_on_kernel_line(R"("systemd.set_credential=my name:a b")"), "my name");
  EXPECT_EQ(credential_on_kernel_line("systemd.set_credential=no-value"), "");
  EXPECT_EQ(credential_on_kernel_line("ro quiet systemd.set_credentials=a:b x.systemd.set_credential=a:b"),
            std::nullopt);
  EXPECT_EQ(credential_on_kernel_line("systemd.set_credential"), std::nullopt);
}

}  // namespace
}  // namespace vmcred::declare
