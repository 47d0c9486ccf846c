// What a script may see and do, as bubblewrap's arguments: the one place to read to know the sandbox.
#pragma once

#include <string>
#include <vector>

#include "generate/sandbox.h"

namespace vmcred::generate {

/// The descriptors that bubblewrap finds open.
inline constexpr int kArgumentsFd = 10;
inline constexpr int kFilterFd = 11;
inline constexpr int kStatusFd = 12;
inline constexpr int kReadyFd = 13;  ///< the wrapper writes a line when the sandbox stands
inline constexpr int kGoFd = 14;     ///< …and starts the script when one comes here
inline constexpr int kScriptFd = 15;
inline constexpr int kPasswdFd = 16;
inline constexpr int kGroupFd = 17;

/// The options, without the program and without what runs.
std::vector<std::string> bubblewrap_options(const Job& job);

/// The trusted few lines of bash that run before the script: wait until the inputs are there, set what cannot be set
/// from outside, become the script. `script` is its path, `work` its folder.
std::string wrapper(const Job& job, const std::string& script, const std::string& work);

/// PATH and the other few variables of a script, as NAME, value.
std::vector<std::pair<std::string, std::string>> script_environment(const std::string& work, const std::string& path);

inline constexpr const char* kSandboxWork = "/work";
inline constexpr const char* kSandboxScript = "/vmcred/script";
inline constexpr const char* kSandboxPath = "/vmcred/bin";
inline constexpr const char* kSandboxPasswd = "generator:x:1000:1000::/tmp:/bin/bash\n";
inline constexpr const char* kSandboxGroup = "generator:x:1000:\n";

}  // namespace vmcred::generate
