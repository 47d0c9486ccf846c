// The JSON Schema of declarations, as packaging/vmcred.schema.json has it, for editors.
#pragma once

#include <string_view>

namespace vmcred::declare {

std::string_view json_schema();

}  // namespace vmcred::declare
