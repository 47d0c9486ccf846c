// The declaration of what was adopted, as text for vmcred.toml or host.nix.
#include <algorithm>

#include "adopt/adopt.h"

namespace vmcred::adopt {
namespace {

/// A key as TOML takes it: bare where it can be.
std::string toml_key(std::string_view name) {
  const bool bare = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  if (bare && !name.empty()) return std::string(name);
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string nix_text(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\' || c == '$') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string toml_list(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += fmt::format("{}\"{}\"", all.empty() ? "" : ", ", name);
  return all;
}

/// The options of a file that are not their defaults: "deploy = false, allow-empty = true".
std::string options(const Adopted& adopted, const AdoptedFile& file, std::string_view allow_empty,
                    std::string_view separator) {
  std::string all;
  const auto add = [&](std::string_view option) {
    all += (all.empty() ? "" : std::string(separator)) + std::string(option);
  };
  if (!file.secret) add("secret = false");
  if (adopted.machines.empty()) add("deploy = false");
  if (file.empty) add(fmt::format("{} = true", allow_empty));
  return all;
}

std::string in_toml(const Adopted& adopted) {
  const std::string table = "generators." + toml_key(adopted.generator);
  std::string text;
  if (adopted.known) {  // it is declared already: its new files are tables of their own below it
    for (const AdoptedFile& file : adopted.files) {
      text += fmt::format("[{}.files.{}]\n", table, toml_key(file.name));
      const std::string all = options(adopted, file, "allow-empty", "\n");
      text += all.empty() ? "\n" : all + "\n\n";
    }
    return text;
  }
  text += fmt::format("[{}]\n", table);
  if (adopted.machines.size() != 1) text += "share = true\n";
  if (!adopted.machines.empty()) text += fmt::format("machines = [{}]\n", toml_list(adopted.machines));
  for (const AdoptedFile& file : adopted.files)
    text += fmt::format("files.{} = {{{}}}\n", toml_key(file.name), options(adopted, file, "allow-empty", ", "));
  return text + "\n";
}

std::string in_nix(const Adopted& adopted) {
  std::string text = fmt::format("clan.core.vars.generators.{} = {{\n", nix_text(adopted.generator));
  if (adopted.machines.size() != 1) text += "  share = true;\n";
  for (const AdoptedFile& file : adopted.files) {
    const std::string all = options(adopted, file, "allowEmpty", "; ");
    text += fmt::format("  files.{} = {{ {}}};\n", nix_text(file.name), all.empty() ? "" : all + "; ");
  }
  return text + "};\n";
}

std::string commented(const std::string& text) {
  std::string all = "# ";
  for (const char c : text) {
    all += c;
    if (c == '\n') all += "# ";
  }
  return all.substr(0, all.size() - 2);
}

}  // namespace

std::string declaration_text(const Adoption& adoption, Language language, const std::vector<std::string>& undeclared,
                             const std::string& host) {
  std::string text;
  if (language == Language::toml) {
    for (const std::string& machine : undeclared) text += fmt::format("[machines.{}]\n\n", machine);
    for (const Adopted& adopted : adoption.generators) text += in_toml(adopted);
    return text;
  }
  for (const Adopted& adopted : adoption.generators) {
    const bool here =
        host.empty() || adopted.machines.empty() || std::ranges::find(adopted.machines, host) != adopted.machines.end();
    if (!here) text += fmt::format("# of {}, not of {}:\n", toml_list(adopted.machines), host);
    text += here ? in_nix(adopted) : commented(in_nix(adopted));
  }
  return text;
}

}  // namespace vmcred::adopt
