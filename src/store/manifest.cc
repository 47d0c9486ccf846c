#include "store/manifest.h"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/base64.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "store/entries.h"
#include "store/layout.h"
#include "store/repository.h"

namespace vmcred::store {
namespace {

constexpr std::size_t kMaxManifest = 16 * 1024 * 1024;
constexpr std::size_t kMaxSignature = 16 * 1024;
constexpr std::size_t kMaxDepth = 8;
constexpr std::size_t kMaxLast = 4096;
constexpr std::string_view kHead = "vmcred manifest 1\n";
constexpr std::size_t kHexDigest = 64;

std::string digest_of(std::string_view text) { return hex_encode(sha256(bytes_of(text))); }

/// Takes "WORD REST\n" off the front.
Result<std::string> take_line(std::string_view& text, std::string_view word) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || !text.starts_with(word) || end <= word.size() || text[word.size()] != ' ')
    return fail(Errc::invalid_data, "the line '{} …' is missing", word);
  std::string rest(text.substr(word.size() + 1, end - word.size() - 1));
  text.remove_prefix(end + 1);
  return rest;
}

bool is_digest(std::string_view text) {
  return text.size() == kHexDigest &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

class ManifestProof final : public Proof {
 public:
  explicit ManifestProof(Manifest manifest) : manifest_(std::move(manifest)) {}

  Result<> check_file(const Fd&, const std::string& path, std::string_view text) const override {
    const auto named = manifest_.files.find(path);
    if (named != manifest_.files.end() && named->second == digest_of(text)) return {};
    return hint(fail(Errc::mismatch, "'{}' is not what the signed manifest names", path), "deploy this machine again");
  }
  Result<> check_links(const Fd&, const std::string& place,
                       const std::map<std::string, std::string>& links) const override {
    if (links.empty()) return {};  // none are sent
    return hint(fail(Errc::mismatch, "the signed manifest names no links in '{}'", place), "deploy this machine again");
  }
  [[nodiscard]] Result<Contents> vouched(const Fd&, const std::string& folder) const override {
    Contents contents;
    for (const auto& [path, digest] : manifest_.files)
      if (path.starts_with(folder + "/")) contents.files[path.substr(folder.size() + 1)] = digest;
    return contents;
  }
  [[nodiscard]] Result<> may_change() const override {
    return hint(fail(Errc::denied, "what was deployed here is signed and not changed"),
                "change the project that it came from, and deploy again");
  }
  [[nodiscard]] Result<std::string> sign(const Fd&, const std::string&, const Contents&) const override {
    TRY(may_change());
    return std::string();
  }
  void forget(const std::string&) const override {}

 private:
  Manifest manifest_;
};

/// Every file of the project, by its path; whatever is no file or folder is refused.
Result<> collect_files(const Fd& root, const std::string& path, std::size_t depth, std::vector<std::string>& files) {
  if (depth > kMaxDepth) return fail(Errc::mismatch, "'{}' is nested deeper than {} folders", path, kMaxDepth);
  TRY_LET(const std::vector<Entry> entries, entries_in(root, path.empty() ? "." : path));
  for (const Entry& entry : entries) {
    const std::string inner = path.empty() ? entry.name : path + "/" + entry.name;
    if (entry.type == Entry::Type::folder) {
      TRY(collect_files(root, inner, depth + 1, files));
    } else if (entry.type == Entry::Type::file) {
      files.push_back(inner);
    } else {
      return fail(Errc::mismatch, "'{}' is neither a file nor a folder", inner);
    }
  }
  return {};
}

Result<std::string> read_beneath(const Fd& root, const std::string& path, std::size_t max_bytes) {
  TRY_LET(const Fd fd, open_beneath(root, path, O_RDONLY | O_CLOEXEC));
  return read_all(fd, path, max_bytes);
}

Result<> check_files(const Fd& root, const Manifest& manifest) {
  std::vector<std::string> present;
  TRY(collect_files(root, "", 1, present));
  std::set<std::string> wanted;
  for (const auto& [path, digest] : manifest.files) wanted.insert(path);
  for (const std::string& path : present) {
    if (path == kManifestName || path == kManifestSignatureName) continue;
    if (wanted.erase(path) == 0) return fail(Errc::mismatch, "the manifest does not name '{}'", path);
    TRY_LET(const std::string text, read_beneath(root, path, kMaxStoredBytes));
    if (digest_of(text) != manifest.files.at(path))
      return fail(Errc::mismatch, "'{}' is not what the manifest names", path);
  }
  if (!wanted.empty()) return fail(Errc::mismatch, "'{}', which the manifest names, is not there", *wanted.begin());
  return {};
}

}  // namespace

void add_file(Manifest& manifest, const std::string& path, std::string_view text) {
  manifest.files[path] = digest_of(text);
}

std::string print_manifest(const Manifest& manifest) {
  std::string text = fmt::format("{}machine {}\ncounter {}\n", kHead, manifest.machine, manifest.counter);
  if (!manifest.key.empty()) text += fmt::format("key {}\n", manifest.key);
  for (const auto& [path, digest] : manifest.files) text += fmt::format("file {} {}\n", path, digest);
  return text;
}

Result<Manifest> parse_manifest(std::string_view text) {
  const std::string_view whole = text;
  if (text.size() > kMaxManifest) return fail(Errc::invalid_data, "it is larger than {} bytes", kMaxManifest);
  if (!text.starts_with(kHead)) return fail(Errc::invalid_data, "it does not begin with 'vmcred manifest 1'");
  text.remove_prefix(kHead.size());
  Manifest manifest;
  TRY_LET(manifest.machine, take_line(text, "machine"));
  TRY(check_machine_name(manifest.machine));
  TRY_LET(const std::string counter, take_line(text, "counter"));
  const auto number = std::from_chars(counter.data(), counter.data() + counter.size(), manifest.counter);
  if (number.ec != std::errc() || number.ptr != counter.data() + counter.size())
    return fail(Errc::invalid_data, "'{}' is no counter", counter);
  if (text.starts_with("key ")) {
    TRY_LET(manifest.key, take_line(text, "key"));
  }
  while (!text.empty()) {
    TRY_LET(const std::string line, take_line(text, "file"));
    const std::size_t blank = line.rfind(' ');
    if (blank == std::string::npos || !is_digest(std::string_view(line).substr(blank + 1)))
      return fail(Errc::invalid_data, "a file has no digest");
    manifest.files[line.substr(0, blank)] = line.substr(blank + 1);
  }
  // One manifest has one form: sorted, nothing twice.
  if (print_manifest(manifest) != whole) return fail(Errc::invalid_data, "it is not in the form that vmcred writes");
  return manifest;
}

Result<LastManifest> read_last_manifest(const std::string& path) {
  if (!exists(path)) return LastManifest{};
  TRY_LET(const std::string text, read_file(path, kMaxLast));
  TRY_LET(const Json json, in(fmt::format("read '{}'", path), parse_json(text)));
  const Json* const counter = json.find("counter");
  if (counter == nullptr || counter->if_integer() == nullptr || *counter->if_integer() < 0)
    return fail(Errc::invalid_data, "read '{}': it holds no counter", path);
  return LastManifest{.counter = static_cast<std::uint64_t>(*counter->if_integer()),
                      .digest = json.string_at("manifest")};
}

Result<> write_last_manifest(const std::string& path, const LastManifest& last) {
  TRY(make_folders(path.substr(0, path.rfind('/')), 0755));
  const Json json = Json::object().set("counter", static_cast<std::int64_t>(last.counter)).set("manifest", last.digest);
  return write_file(path, dump_json(json, Indent::two_spaces), 0600);
}

Result<Proven> prove_project(const std::string& folder, const std::string& machine, const age::TrustedSigners& trusted,
                             const LastManifest& last, SystemTime now) {
  const auto refused = [&](auto result) {
    auto told = in(fmt::format("'{}' is not activated", folder), std::move(result));
    if (!told && told.error().hint.empty())
      told.error().hint = "send it again with 'vmcred deploy', as somebody whom this host trusts";
    return told;
  };
  TRY_LET(const Fd root, open_folder(folder));
  const std::string name(kManifestName);
  if (!exists(join_path(folder, name)))
    return refused(Result<Proven>(fail(Errc::mismatch, "it has no signed manifest, and this host demands one")));
  TRY_LET(const std::string text, refused(read_beneath(root, name, kMaxManifest)));
  TRY_LET(const std::string signature, refused(read_beneath(root, std::string(kManifestSignatureName), kMaxSignature)));
  Proven proven;
  TRY_LET(proven.signer,
          refused(in("its manifest", trusted.verify(signature, kManifestNameSpace, bytes_of(text), now))));
  TRY_LET(proven.manifest, refused(in("its manifest", parse_manifest(text))));
  proven.as_last = {.counter = proven.manifest.counter, .digest = digest_of(text)};
  if (!machine.empty() && proven.manifest.machine != machine)
    return refused(Result<Proven>(
        fail(Errc::mismatch, "its manifest is for machine '{}', not '{}'", proven.manifest.machine, machine)));
  const bool older = proven.manifest.counter < last.counter ||
                     (proven.manifest.counter == last.counter && proven.as_last.digest != last.digest);
  if (older)
    return refused(
        Result<Proven>(fail(Errc::mismatch, "it is older than what was active: its counter is {}, the last one was {}",
                            proven.manifest.counter, last.counter)));
  TRY(refused(check_files(root, proven.manifest)));
  return proven;
}

Result<> check_key(const Manifest& manifest, const KeyRing& keys) {
  if (manifest.key.empty() || std::ranges::binary_search(keys.recipients(), manifest.key)) return {};
  return hint(fail(Errc::mismatch, "this host's key is not the one of the signed manifest, {}", manifest.key),
              fmt::format("send it again: 'vmcred deploy {}'", manifest.machine));
}

std::shared_ptr<const Proof> proof_by(Manifest manifest) {
  return std::make_shared<ManifestProof>(std::move(manifest));
}

}  // namespace vmcred::store
