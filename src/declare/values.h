// Small notations of a declaration: "512M", "90s", "30d", "0400".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vmcred::declare {

/// A whole number with K, M, G or T (powers of 1024), or plain bytes: "512M". Nothing for any other text or beyond
/// 2^62.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);

/// A whole number with s, m or h: "90s". At most a year.
std::optional<std::chrono::seconds> parse_seconds(std::string_view text);
std::string format_seconds(std::chrono::seconds value);

/// A whole number with d, w or y (365 days): "90d". At most a century, at least a day.
std::optional<std::chrono::days> parse_days(std::string_view text);
std::string format_days(std::chrono::days value);

/// Exactly four octal digits: "0400".
std::optional<std::uint32_t> parse_mode(std::string_view text);
std::string format_mode(std::uint32_t mode);

/// The absolute path of `path` seen from `folder`, without "." and ".." (no file system is asked).
std::string absolute_path(std::string_view folder, std::string_view path);

/// Text that a file name, unit or option can hold: not empty, without control characters.
bool plain_text(std::string_view text);

}  // namespace vmcred::declare
