#include "chain/xml.h"

#include <expat.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>

namespace vmcred::chain::xml {
namespace {

struct Reading {
  XML_Parser parser = nullptr;
  Element root = {};                // holds the root element as its only child
  std::vector<Element*> open = {};  // the way down to where reading is
  std::vector<std::map<std::string, std::string>> spaces = {};
  std::size_t elements = 0;
  bool too_much = false;
};

void stop(Reading& reading) {
  reading.too_much = true;
  XML_StopParser(reading.parser, XML_FALSE);
}

std::string space_of(const Reading& reading, const std::string& prefix) {
  for (auto scope = reading.spaces.rbegin(); scope != reading.spaces.rend(); ++scope)
    if (const auto known = scope->find(prefix); known != scope->end()) return known->second;
  return prefix;
}

void XMLCALL begin(void* data, const XML_Char* name, const XML_Char** attributes) {
  Reading& reading = *static_cast<Reading*>(data);
  if (++reading.elements > kMaxElements || reading.open.size() > static_cast<std::size_t>(kMaxDepth))
    return stop(reading);
  Element element;
  std::map<std::string, std::string> spaces;
  for (; *attributes != nullptr; attributes += 2) {
    const std::string key = attributes[0];
    if (key.starts_with("xmlns:")) spaces[key.substr(6)] = attributes[1];
    element.attributes.emplace_back(key, attributes[1]);
  }
  reading.spaces.push_back(std::move(spaces));
  const std::string whole = name;
  const std::size_t colon = whole.find(':');
  element.name = colon == std::string::npos ? whole : whole.substr(colon + 1);
  if (colon != std::string::npos) element.space = space_of(reading, whole.substr(0, colon));
  element.line =
      static_cast<int>(std::min<XML_Size>(XML_GetCurrentLineNumber(reading.parser), std::numeric_limits<int>::max()));
  element.column = 1 + static_cast<int>(std::min<XML_Size>(XML_GetCurrentColumnNumber(reading.parser), 1'000'000));
  Element& parent = *reading.open.back();
  parent.children.push_back(std::move(element));
  reading.open.push_back(&parent.children.back());  // siblings come only after this one is closed
}

void XMLCALL end(void* data, const XML_Char* /*name*/) {
  Reading& reading = *static_cast<Reading*>(data);
  reading.open.pop_back();
  reading.spaces.pop_back();
}

void XMLCALL characters(void* data, const XML_Char* text, int length) {
  static_cast<Reading*>(data)->open.back()->text.append(text, static_cast<std::size_t>(length));
}

/// Entities of a DTD could only be someone's trick: a domain needs none.
void XMLCALL entity(void* data, const XML_Char* /*name*/, int /*is_parameter*/, const XML_Char* /*value*/,
                    int /*length*/, const XML_Char* /*base*/, const XML_Char* /*system*/, const XML_Char* /*public_id*/,
                    const XML_Char* /*notation*/) {
  stop(*static_cast<Reading*>(data));
}

}  // namespace

const std::string* Element::attribute(std::string_view key) const {
  const auto found =
      std::ranges::find(attributes, key, [](const auto& each) -> std::string_view { return each.first; });
  return found == attributes.end() ? nullptr : &found->second;
}

const Element* Element::child(std::string_view key) const {
  const auto found =
      std::ranges::find(children, key, [](const Element& each) -> std::string_view { return each.name; });
  return found == children.end() ? nullptr : &*found;
}

std::vector<const Element*> Element::all(std::string_view key) const {
  std::vector<const Element*> found;
  for (const Element& each : children)
    if (each.name == key) found.push_back(&each);
  return found;
}

Result<Element> read(std::string_view text) {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    return fail(Errc::invalid_data, "it is too large");
  const std::unique_ptr<std::remove_pointer_t<XML_Parser>, void (*)(XML_Parser)> parser(XML_ParserCreate(nullptr),
                                                                                        XML_ParserFree);
  if (!parser) return fail(Errc::io, "there is no memory for the XML parser");
  Reading reading = {.parser = parser.get()};
  reading.open.push_back(&reading.root);
  XML_SetUserData(parser.get(), &reading);
  XML_SetElementHandler(parser.get(), begin, end);
  XML_SetCharacterDataHandler(parser.get(), characters);
  XML_SetEntityDeclHandler(parser.get(), entity);
  const bool parsed = XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), XML_TRUE) == XML_STATUS_OK;
  if (reading.too_much)
    return fail(Errc::invalid_data, "it declares entities, or has more than {} elements or {} levels", kMaxElements,
                kMaxDepth);
  if (!parsed) {
    return fail(Errc::invalid_data, "line {}: it is no XML: {}", XML_GetCurrentLineNumber(parser.get()),
                XML_ErrorString(XML_GetErrorCode(parser.get())));
  }
  return std::move(reading.root.children.front());
}

}  // namespace vmcred::chain::xml
