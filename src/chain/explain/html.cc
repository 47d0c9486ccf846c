// The page of explain: the files of src/chain/explain/page with a picture's data in them.
#include <array>
#include <utility>

#include "base/base64.h"
#include "base/sha256.h"
#include "chain/explain/page.h"
#include "chain/explain/view.h"

namespace vmcred::chain::explain {
namespace {

std::string escaped(std::string_view text) {
  std::string all;
  for (const char c : text) {
    switch (c) {
      case '&':
        all += "&amp;";
        break;
      case '<':
        all += "&lt;";
        break;
      case '>':
        all += "&gt;";
        break;
      case '"':
        all += "&quot;";
        break;
      case '\'':
        all += "&#39;";
        break;
      default:
        all += c;
    }
  }
  return all;
}

/// JSON that stands in a <script>: nothing in it can end the element or begin another.
std::string embedded(const Json& json) {
  std::string all;
  for (const char c : dump_json(json)) {
    if (c == '<') {
      all += "\\u003c";
    } else {
      all += c;
    }
  }
  return all;
}

/// How a Content-Security-Policy names a script or style (CSP 3 §2.3.1): nothing else on the page can run.
std::string hash_of(std::string_view text) { return "sha256-" + base64_encode(Bytes(sha256(bytes_of(text)))); }

}  // namespace

std::string picture_html(const Picture& picture, std::string_view version) {
  const std::string title =
      picture.vms.size() == 1 ? fmt::format("{}: its credentials", picture.vms.front().vm) : "vmcred: credentials";
  const std::array<std::pair<std::string_view, std::string>, 7> parts = {{
      {"style-hash", hash_of(page_style())},
      {"script-hash", hash_of(page_script())},
      {"title", escaped(title)},
      {"style", std::string(page_style())},
      {"version", escaped(version)},
      {"data", embedded(picture_json(picture))},
      {"script", std::string(page_script())},
  }};
  // The parts stand in the page in this order, so that nothing that a part brings is taken for a place of its own.
  std::string page;
  std::string_view rest = page_frame();
  for (const auto& [name, text] : parts) {
    const std::string place = fmt::format("{{{{{}}}}}", name);
    const std::size_t at = rest.find(place);
    page += rest.substr(0, at);
    page += text;
    rest.remove_prefix(at + place.size());
  }
  return page += rest;
}

}  // namespace vmcred::chain::explain
