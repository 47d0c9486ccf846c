// `cat`: prints credentials with systemd-creds' options. Without a service's own folder it looks at the system's.
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "arguments.h"
#include "base/base64.h"
#include "commands.h"
#include "credentials.h"
#include "systemd_json.h"

namespace vmcred::guest {
namespace {

enum class Transcode : std::uint8_t { off, base64, unbase64, hex, unhex };

Result<Transcode> transcode_mode(std::string_view word) {
  if (word == "off" || word == "no") return Transcode::off;
  if (word == "base64") return Transcode::base64;
  if (word == "unbase64") return Transcode::unbase64;
  if (word == "hex") return Transcode::hex;
  if (word == "unhex") return Transcode::unhex;
  return fail(Errc::usage, "'{}' is no way to transcode; there are base64, unbase64, hex and unhex", word);
}

/// Lines of 79 characters, without a newline at the end, as systemd-creds writes them.
Secret wrapped(const Secret& text) {
  constexpr std::size_t kLine = 79;
  if (text.empty()) return {};
  const std::size_t breaks = (text.size() - 1) / kLine;
  Secret out(text.size() + breaks);
  std::size_t at = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i > 0 && i % kLine == 0) out.writable()[at++] = '\n';
    out.writable()[at++] = text.bytes()[i];
  }
  return out;
}

int digit(std::uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Secret hex(const Secret& value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  Secret out(2 * value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    out.writable()[2 * i] = static_cast<std::uint8_t>(kDigits[value.bytes()[i] >> 4]);
    out.writable()[2 * i + 1] = static_cast<std::uint8_t>(kDigits[value.bytes()[i] & 0xf]);
  }
  return out;
}

Result<Secret> unhex(const Secret& text) {
  const Secret digits = without_space(text.text());
  Secret out(digits.size() / 2);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int value = digit(digits.bytes()[i]);
    if (value < 0 || digits.size() % 2 != 0)
      return fail(Errc::invalid_data, "Failed to transcode data: Invalid argument");
    auto& byte = out.writable()[i / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | value);
  }
  return out;
}

Result<Secret> transcoded(Secret value, Transcode mode) {
  switch (mode) {
    case Transcode::off:
      return value;
    case Transcode::base64:
      return wrapped(base64_encode_secret(value.bytes()));
    case Transcode::hex:
      return hex(value);
    case Transcode::unhex:
      return unhex(value);
    case Transcode::unbase64: {
      auto plain = base64_decode_secret(without_space(value.text()).text());
      if (!plain) return fail(Errc::invalid_data, "Failed to transcode data: Invalid argument");
      return plain;
    }
  }
  return value;
}

/// The first folder that holds it; the service's plain ones come before the encrypted ones, as in systemd-creds.
Result<Secret> find(const std::vector<Folder>& folders, const std::string& name) {
  for (const bool encrypted : {false, true}) {
    for (const Folder& folder : folders) {
      if (folder.encrypted != encrypted) continue;
      auto value = read_credential(folder, name);
      if (value || value.error().code != Errc::not_found) return value;
    }
  }
  return fail(Errc::not_found, "Credential '{}' not set.", name);
}

}  // namespace

Result<int> cat(std::span<char* const> given) {
  constexpr std::string_view kKnown[] = {
      "--system", "--json=", "--transcode=", "--newline=", "--no-pager", "--no-legend"};
  TRY_LET(const Arguments arguments, parse_arguments(given, kKnown));
  TRY_LET(const JsonMode mode, json_mode(arguments.value("--json", "off")));
  TRY_LET(const Transcode transcode, transcode_mode(arguments.value("--transcode", "off")));
  const std::string newline = arguments.value("--newline", "auto");
  if (arguments.words.empty()) return fail(Errc::usage, "no credential was named");
  const bool system =
      arguments.has("--system") || std::getenv("CREDENTIALS_DIRECTORY") == nullptr;  // NOLINT(concurrency-mt-unsafe)
  TRY_LET(const auto folders, open_folders(system));
  if (folders.empty()) {
    note(system ? "No credentials passed to system." : "No credentials passed. (i.e. $CREDENTIALS_DIRECTORY not set.)");
    return 1;
  }
  int exit = 0;
  for (const std::string& name : arguments.words) {
    auto value = is_credential_name(name)
                     ? find(folders, name)
                     : Result<Secret>(fail(Errc::usage, "Credential name '{}' is not valid.", name));
    if (value) value = transcoded(*std::move(value), transcode);
    if (!value) {
      note(value.error().message);
      exit = 1;
      continue;
    }
    if (transcode == Transcode::off && mode != JsonMode::off) {
      const auto json = parse_json(value->text());
      if (!json) {
        note("Failed to parse JSON: Invalid argument");
        return 1;
      }
      print(systemd_json(*json, mode));
      continue;
    }
    print(value->text());
    const bool ends = value->text().ends_with('\n');
    if (newline != "no" && !ends && ::isatty(STDOUT_FILENO) == 1) print("\n");
  }
  return exit;
}

}  // namespace vmcred::guest
