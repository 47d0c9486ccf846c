# vmcred_library(): one room of src/ as one static library, linked as src/LAYERS allows, with one test binary.

add_library(vmcred_options INTERFACE)
target_compile_options(vmcred_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -fstack-protector-strong -ftrivial-auto-var-init=zero
  # The same bytes and the same cached objects, whatever folder the source lies in.
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  target_compile_options(vmcred_options INTERFACE -fstack-clash-protection -fcf-protection)
endif()
if(CMAKE_BUILD_TYPE STREQUAL Release)
  target_compile_options(vmcred_options INTERFACE -Werror -D_FORTIFY_SOURCE=3 -fzero-call-used-regs=used-gpr)
endif()
target_compile_definitions(vmcred_options INTERFACE _GLIBCXX_ASSERTIONS)
# All addresses by chance, in static programs too, and nothing that is resolved at the start stays writable.
target_link_options(vmcred_options INTERFACE -Wl,-z,relro,-z,now)
target_include_directories(vmcred_options INTERFACE ${CMAKE_SOURCE_DIR}/src)

find_package(PkgConfig REQUIRED)
if(VMCRED_STATIC)
  set(OPENSSL_USE_STATIC_LIBS TRUE)
endif()
find_package(OpenSSL 3.0 REQUIRED)
find_package(nlohmann_json REQUIRED)
# fmt: headers only; src/base/fmt_instances.cc holds what its library would.

file(STRINGS ${CMAKE_SOURCE_DIR}/src/LAYERS VMCRED_LAYERS REGEX "^[a-z]")

# vmcred_library(room SOURCES a.cc b.cc [TESTS a_test.cc] [LINK libraries...])
function(vmcred_library room)
  cmake_parse_arguments(ARG "" "" "SOURCES;TESTS;LINK" ${ARGN})
  string(REPLACE "/" "_" target "vmcred_${room}")
  add_library(${target} STATIC ${ARG_SOURCES})
  set(allowed FALSE)
  foreach(row IN LISTS VMCRED_LAYERS)
    string(REGEX REPLACE ":.*" "" name "${row}")
    if(name STREQUAL room)
      set(allowed TRUE)
      string(REGEX REPLACE "^[^:]*: *" "" below "${row}")
      string(REPLACE " " ";" below "${below}")
      foreach(other IN LISTS below)
        string(REPLACE "/" "_" other "vmcred_${other}")
        target_link_libraries(${target} PUBLIC $<TARGET_NAME_IF_EXISTS:${other}>)
      endforeach()
    endif()
  endforeach()
  if(NOT allowed)
    message(FATAL_ERROR "src/LAYERS has no row for the room '${room}'")
  endif()
  target_link_libraries(${target} PUBLIC vmcred_options PRIVATE ${ARG_LINK})
  if(VMCRED_TESTS AND ARG_TESTS)
    add_executable(${target}_test ${ARG_TESTS})
    target_link_libraries(${target}_test PRIVATE ${target} vmcred_test_support ${ARG_LINK})
    gtest_discover_tests(${target}_test DISCOVERY_MODE PRE_TEST PROPERTIES LABELS unit TIMEOUT 120
      WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  endif()
endfunction()

if(VMCRED_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
