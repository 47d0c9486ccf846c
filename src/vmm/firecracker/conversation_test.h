// For the tests of this backend: a launch as one text, with the bodies of its requests as they would be sent.
#pragma once

#include <string>

#include "base/result.h"
#include "credential/encode.h"
#include "matchers.h"
#include "vmm/blob.h"
#include "vmm/launch.h"

namespace vmcred::vmm::firecracker {

/// One line a word of the command line, a guard, a request; what a launch failed with otherwise.
inline std::string conversation(const Result<Launch>& launch) {
  if (!launch) return "failed: " + launch.error().message;
  credential::Values values;
  values.emplace("host-api-key", testing::secret("hunter2"));
  values.emplace("vmcred.link", testing::secret("v1 vsock!"));
  std::string text;
  for (const std::string& word : launch->argv) text += word + "\n";
  for (const vmm::Guard& guard : launch->guards) text += "guard " + guard.path + "\n";
  for (const Request& request : launch->requests) {
    const auto body = encode_body(request.body, values);
    text += fmt::format("{} {} {}\n", request.method, request.path, body ? body->text() : body.error().message);
  }
  return text;
}

}  // namespace vmcred::vmm::firecracker
