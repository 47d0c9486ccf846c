// A system that gives no more threads, for as long as this lives.
#pragma once

#include <gtest/gtest.h>
#include <pthread.h>

namespace vmcred::testing {

class NoThreads {
 public:
  NoThreads() {
    EXPECT_EQ(::pthread_getattr_default_np(&usual_), 0);
    pthread_attr_t impossible = {};
    EXPECT_EQ(::pthread_attr_init(&impossible), 0);
    EXPECT_EQ(::pthread_attr_setstacksize(&impossible, std::size_t{1} << 50), 0);  // more than there are addresses
    EXPECT_EQ(::pthread_setattr_default_np(&impossible), 0);
  }
  ~NoThreads() { EXPECT_EQ(::pthread_setattr_default_np(&usual_), 0); }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;

 private:
  pthread_attr_t usual_ = {};
};

}  // namespace vmcred::testing
