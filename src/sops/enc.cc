#include "sops/enc.h"

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "base/crypto.h"

namespace vmcred::sops {
namespace {

constexpr std::size_t kIv = 32;
constexpr std::size_t kShortIv = 12;  // what other writers use

constexpr std::array<std::string_view, 7> kTypes = {"str", "int", "float", "bool", "time", "comment", "bytes"};

/// Takes "NAME" and the text up to the next ',' or the end off `rest`.
Result<std::string_view> take_field(std::string_view& rest, std::string_view name) {
  if (!rest.starts_with(name)) return fail(Errc::invalid_data, "the encrypted value lacks its '{}' part", name);
  rest.remove_prefix(name.size());
  const std::size_t comma = rest.find(',');
  const std::string_view field = rest.substr(0, comma);
  rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  return field;
}

}  // namespace

std::string seal(Bytes data_key, std::string_view associated, Bytes plaintext, std::string_view type,
                 Randomness& randomness) {
  std::array<std::uint8_t, kIv> iv = {};
  randomness.fill(iv);
  const Sealed sealed = aes_gcm_seal(data_key, iv, bytes_of(associated), plaintext);
  return fmt::format("ENC[AES256_GCM,data:{},iv:{},tag:{},type:{}]", base64_encode(bytes_of(sealed.ciphertext)),
                     base64_encode(iv), base64_encode(sealed.tag), type);
}

Result<Opened> open(Bytes data_key, std::string_view associated, std::string_view text) {
  if (!text.starts_with("ENC[") || !text.ends_with(']')) {
    return fail(Errc::invalid_data, "a value that should be encrypted is not of the form ENC[…]");
  }
  std::string_view rest = text.substr(4, text.size() - 5);
  TRY_LET(const std::string_view algorithm, take_field(rest, ""));
  if (algorithm != "AES256_GCM") return fail(Errc::invalid_data, "the encrypted value is not of the kind AES256_GCM");
  TRY_LET(const std::string_view data, take_field(rest, "data:"));
  TRY_LET(const std::string_view iv, take_field(rest, "iv:"));
  TRY_LET(const std::string_view tag, take_field(rest, "tag:"));
  TRY_LET(const std::string_view type, take_field(rest, "type:"));
  if (!rest.empty() || std::ranges::find(kTypes, type) == kTypes.end()) {
    return fail(Errc::invalid_data, "the encrypted value ends in no known type");
  }
  TRY_LET(const std::string data_bytes, in("encrypted value", base64_decode(data)));
  TRY_LET(const std::string iv_bytes, in("IV of the encrypted value", base64_decode(iv)));
  TRY_LET(const std::string tag_bytes, in("tag of the encrypted value", base64_decode(tag)));
  if (iv_bytes.size() != kIv && iv_bytes.size() != kShortIv) {
    return fail(Errc::invalid_data, "the encrypted value has an IV of {} bytes, not {}", iv_bytes.size(), kIv);
  }
  TRY_LET(Secret plaintext,
          aes_gcm_open(data_key, bytes_of(iv_bytes), bytes_of(associated), bytes_of(data_bytes), bytes_of(tag_bytes)));
  return Opened{.plaintext = std::move(plaintext), .type = std::string(type)};
}

}  // namespace vmcred::sops
