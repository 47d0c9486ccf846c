#include "supervise/http.h"

#include "matchers.h"

namespace vmcred::supervise {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;

constexpr std::size_t kLimit = 100;

Result<HttpRequest> request(std::string_view line) {
  TRY_LET(auto message, read_http(std::string(line) + "\r\n\r\n", kLimit));
  return request_of(*std::move(message));
}

TEST(Http, ReadsAMessageOnlyWhenItIsWhole) {
  const std::string bytes = "PUT /x HTTP/1.1\r\ncontent-LENGTH:  3 \r\n\r\nabcGET";
  for (std::size_t size = 0; size + 4 < bytes.size(); ++size) {
    const auto message = read_http(std::string_view(bytes).substr(0, size), kLimit);
    ASSERT_THAT(message, Succeeds());
    EXPECT_FALSE(*message) << size;
  }
  const auto message = read_http(bytes, kLimit);
  ASSERT_THAT(message, Succeeds());
  EXPECT_EQ((*message)->start, "PUT /x HTTP/1.1");
  EXPECT_EQ((*message)->body, "abc");
  EXPECT_EQ((*message)->size, bytes.size() - 3);
}

TEST(Http, RefusesWhatTwoParsersWouldReadDifferently) {
  const auto with = [](const std::string& headers) {
    return read_http("GET / HTTP/1.1\r\n" + headers + "\r\n\r\n", kLimit);
  };
  EXPECT_THAT(with("Transfer-Encoding: chunked"), FailsWith(Errc::invalid_data, HasSubstr("transfer coding")));
  EXPECT_THAT(with("Content-Length: 1\r\nContent-Length: 2"), FailsWith(Errc::invalid_data, HasSubstr("two lengths")));
  EXPECT_THAT(with("Content-Length: +1"), FailsWith(Errc::invalid_data, HasSubstr("usable length")));
  EXPECT_THAT(with("Content-Length: 1,2"), FailsWith(Errc::invalid_data, HasSubstr("usable length")));
  EXPECT_THAT(with("X: 1\r\n Content-Length: 5"), FailsWith(Errc::invalid_data, HasSubstr("several lines")));
  EXPECT_THAT(with("Content-Length: 101"), FailsWith(Errc::invalid_data, HasSubstr("more than 100 bytes")));
  EXPECT_THAT(with(std::string("X: \0", 4)), FailsWith(Errc::invalid_data, HasSubstr("not HTTP")));
  EXPECT_THAT(read_http(std::string(kMaxHttpHead + 1, 'x'), kLimit),
              FailsWith(Errc::invalid_data, HasSubstr("head of more")));
}

TEST(Http, TakesOnlyPlainRequestLines) {
  const auto plain = request("PUT /api/v1/vm.boot HTTP/1.1");
  ASSERT_THAT(plain, Succeeds());
  EXPECT_EQ(plain->method, "PUT");
  EXPECT_EQ(plain->target, "/api/v1/vm.boot");
  for (const auto* const line :
       {"PUT  /x HTTP/1.1", "put /x HTTP/1.1", "PUT x HTTP/1.1", "PUT /x?y HTTP/1.1", "PUT /%2e HTTP/1.1",
        "PUT /a/../b HTTP/1.1", "PUT //x HTTP/1.1", "PUT /x HTTP/1.0", "PUT /x", "HTTP/1.1", ""}) {
    EXPECT_THAT(request(line), FailsWith(Errc::invalid_data, HasSubstr("not a"))) << line;
  }
}

TEST(Http, ReadsAStatus) {
  EXPECT_EQ(*status_of({.start = "HTTP/1.1 204 No Content"}), 204);
  EXPECT_THAT(status_of({.start = "HTTP/1.1 20"}), FailsWith(Errc::invalid_data, HasSubstr("not HTTP")));
  EXPECT_THAT(status_of({.start = "220 ftp"}), FailsWith(Errc::invalid_data, HasSubstr("not HTTP")));
}

}  // namespace
}  // namespace vmcred::supervise
