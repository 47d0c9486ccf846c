#include "supervise/vsock_sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fd.h"
#include "base/file.h"
#include "matchers.h"
#include "supervise/unix_socket.h"

namespace vmcred::supervise {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::Succeeds;
using testing::TestFolder;

TEST(ClearVsockSocket, RemovesWhatADeadProcessLeft) {
  const TestFolder folder;
  const std::string path = folder / "vsock.sock";
  EXPECT_THAT(clear_vsock_socket(path), Succeeds());
  ASSERT_THAT(listen_on(path), Succeeds());  // and closed at once
  ASSERT_TRUE(exists(path));
  EXPECT_THAT(clear_vsock_socket(path), Succeeds());
  EXPECT_FALSE(exists(path));
}

TEST(ClearVsockSocket, LeavesOthersAlone) {
  const TestFolder folder;
  const std::string path = folder / "vsock.sock";
  const auto served = listen_on(path, 1);
  ASSERT_THAT(served, Succeeds());
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(clear_vsock_socket(path), FailsWith(Errc::unavailable, HasSubstr("another process serves")));
  EXPECT_TRUE(exists(path));
  EXPECT_THAT(clear_vsock_socket(folder.write("file", "x")),
              FailsWith(Errc::usage, HasSubstr("something else is there")));
  EXPECT_THAT(clear_vsock_socket(folder.path()), FailsWith(Errc::usage, HasSubstr("something else is there")));
  ASSERT_EQ(::symlink((folder / "file").c_str(), (folder / "link").c_str()), 0);
  EXPECT_THAT(clear_vsock_socket(folder / "link"), FailsWith(Errc::usage, HasSubstr("something else is there")));
  EXPECT_TRUE(exists(folder / "file"));
}

TEST(VsockSockets, AreGoneAtTheEnd) {
  const TestFolder folder;
  const std::string path = folder / "vsock.sock";
  {
    const VsockSockets sockets(path);
    for (const char* const name : {"vsock.sock", "vsock.sock_8889", "vsock.sock_8890", "vsock.sock_8888"}) {
      ASSERT_THAT(listen_on(folder / name), Succeeds());
    }
  }
  {
    const auto served = listen_on(path);
    const VsockSockets sockets(path);
    ASSERT_THAT(served, Succeeds());
  }
  ASSERT_EQ(::unlink(path.c_str()), 0);  // it was somebody's
  // systemd's own forwarder of microvm.nix listens at the last.
  EXPECT_EQ(list_folder(folder.path()).value(), std::vector<std::string>{"vsock.sock_8888"});
}

}  // namespace
}  // namespace vmcred::supervise
