// The files of src/chain/explain/page, as CMake put them into the program.
#pragma once

#include <string_view>

namespace vmcred::chain::explain {

std::string_view page_frame();   ///< page.html, with {{places}} for what differs
std::string_view page_style();   ///< page.css
std::string_view page_script();  ///< words.js, diagram.js and page.js, one after the other

}  // namespace vmcred::chain::explain
