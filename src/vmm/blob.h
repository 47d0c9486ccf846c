// The bytes behind a launch: memory files and request bodies, built from the values at the last moment.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "credential/encode.h"
#include "vmm/launch.h"

namespace vmcred::vmm {

/// What to write into one memory file. For an InitrdBlob these are the bytes that follow the `base_size` bytes of its
/// base, which the caller copies first; for the others `base_size` is 0.
Result<Secret> encode_blob(const Blob& blob, const credential::Values& values, std::size_t base_size = 0);

/// A request's whole body.
Result<Secret> encode_body(std::span<const BodyPiece> pieces, const credential::Values& values);

/// The program that `launch.argv` begins with, from the declaration or its usual name.
std::string program_of(const declare::Vm& vm);

}  // namespace vmcred::vmm
