#include "adopt/wishes.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/spelling.h"
#include "store/layout.h"

namespace vmcred::adopt {
namespace {

/// "mail.yaml" of "mail.yaml:smtp/password"; "" where a secret is its whole file.
std::string file_of(const Foreign& secret) {
  const std::size_t colon = secret.source.find(':');
  return colon == std::string::npos ? std::string() : secret.source.substr(0, colon);
}

bool is_called(const Foreign& secret, const std::string& word) {
  return secret.source == word || secret.source == word + ".age" ||
         fmt::format("{}/{}", secret.generator, secret.file) == word;
}

Result<> rename(Found& found, const std::string& from, const std::string& to) {
  const std::size_t slash = to.find('/');
  const std::string generator = to.substr(0, slash);
  const std::string file = slash == std::string::npos ? to : to.substr(slash + 1);
  for (const std::string& part : {generator, file})
    TRY(in(fmt::format("rename '{}'", from), store::check_part_name(part)));
  std::size_t count = 0;
  for (Foreign& secret : found.secrets) {
    const bool of_file = !file_of(secret).empty() && file_of(secret) == from;
    if (!of_file && !is_called(secret, from)) continue;
    ++count;
    if (of_file || slash != std::string::npos || file_of(secret).empty()) secret.generator = generator;
    if (!of_file) secret.file = file;
  }
  if (count > 0 || std::ranges::any_of(found.left_out, [&](const LeftOut& each) { return each.source == from; }))
    return {};
  std::vector<std::string> known;
  for (const Foreign& secret : found.secrets) known.push_back(secret.source);
  return hint(fail(Errc::usage, "no secret is called '{}'", from), did_you_mean(from, known));
}

Result<> name_machine(Found& found, const std::string& name, const std::string& key) {
  TRY(store::check_machine_name(name));
  if (!key.empty()) {
    const bool used = std::ranges::any_of(found.secrets, [&](const Foreign& secret) {
      return std::ranges::binary_search(secret.recipients, without_comment(key));
    });
    if (!used) return fail(Errc::usage, "no secret is encrypted to the key of '{}'", name);
    found.names[without_comment(key)] = {name, true};
    return {};
  }
  std::vector<std::string> known;
  for (auto& [recipient, each] : found.names) {
    known.push_back(each.name);
    if (each.name != name) continue;
    each.machine = true;
    return {};
  }
  const std::string near = did_you_mean(name, known);
  return hint(fail(Errc::usage, "no key is called '{}'", name),
              fmt::format("{}'--host {}=KEY' says which key it is", near.empty() ? "" : near + " ", name));
}

/// The first of NAME, NAME-2, NAME-3 … that is free.
std::string proposal(const std::string& name, std::set<std::string>& taken) {
  std::string proposed = name;
  for (int next = 2; !taken.insert(proposed).second; ++next) proposed = fmt::format("{}-{}", name, next);
  return proposed;
}

}  // namespace

std::string rename_option(const std::string& source, const std::string& name) {
  const std::string both = source + "=" + name;
  const bool plain = std::ranges::all_of(both, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-/:=").contains(c);
  });
  if (plain) return "--rename " + both;
  std::string quoted;
  for (const char c : both) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return fmt::format("--rename '{}'", quoted);
}

Result<> grant(const Wishes& wishes, Found& found) {
  for (const auto& [from, to] : wishes.names) TRY(rename(found, from, to));
  for (const auto& [name, key] : wishes.machines) TRY(name_machine(found, name, key));
  return {};
}

void sort_out_names(Found& found) {
  std::set<std::string> taken;
  std::map<std::string, std::vector<Foreign*>> by_name;
  std::map<std::string, const Foreign*> first_of_generator;
  for (Foreign& secret : found.secrets) {
    by_name[fmt::format("{}/{}", secret.generator, secret.file)].push_back(&secret);
    taken.insert(secret.file);
    taken.insert(secret.generator);
  }
  std::vector<Foreign> kept;
  const auto leave_out = [&](const Foreign& secret, std::string why, const std::string& name) {
    found.left_out.push_back(
        {secret.source, Error{Errc::invalid_data, std::move(why), rename_option(secret.source, name)}});
  };
  std::map<std::pair<std::string, std::vector<std::string>>, std::string> other_readers;
  for (Foreign& secret : found.secrets) {
    if (!store::check_part_name(secret.generator) || !store::check_part_name(secret.file)) {
      const std::string name = proposal("secret", taken);
      const bool whole = store::check_part_name(secret.generator).has_value();
      leave_out(secret, "nothing of its name can be the name of a var",
                whole || file_of(secret).empty() ? name : fmt::format("{}/{}", name, proposal("value", taken)));
      continue;
    }
    const std::vector<Foreign*>& same = by_name[fmt::format("{}/{}", secret.generator, secret.file)];
    if (same.size() > 1) {
      const Foreign& other = same.front() == &secret ? *same[1] : *same.front();
      leave_out(secret,
                fmt::format("it and '{}' would both become '{}/{}'", other.source, secret.generator, secret.file),
                same.front() == &secret ? proposal(secret.file + "-1", taken) : proposal(secret.file, taken));
      continue;
    }
    const Foreign*& first = first_of_generator[secret.generator];
    if (first != nullptr && first->recipients != secret.recipients) {
      // One name for all of a file that the same people read.
      std::string& name = other_readers[{secret.generator, secret.recipients}];
      if (name.empty()) name = proposal(secret.generator, taken);
      leave_out(secret,
                fmt::format("it would be a file of the generator '{}' as '{}' is, and others read it", secret.generator,
                            first->source),
                fmt::format("{}/{}", name, secret.file));
      continue;
    }
    if (first == nullptr) first = &secret;
  }
  const auto is_left_out = [&](const Foreign& secret) {
    return std::ranges::any_of(found.left_out, [&](const LeftOut& each) { return each.source == secret.source; });
  };
  std::erase_if(found.secrets, is_left_out);
}

}  // namespace vmcred::adopt
