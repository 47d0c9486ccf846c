// A tar stream made in memory: what a machine needs, sent to it without a file in between.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcred::store {

/// One file of the stream. Its bytes may be plaintext (a machine's key): they are written from where they are.
struct BundleFile {
  std::string path;  ///< relative
  Bytes bytes;       ///< borrowed
  unsigned mode = 0644;
};

/// Writes the files, in their order, as a tar archive (POSIX ustar, long names as GNU tar does it) owned by root.
Result<> write_bundle(const Fd& out, const std::vector<BundleFile>& files);

}  // namespace vmcred::store
