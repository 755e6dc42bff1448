# find_package(Valor): plug-ins in C++, from one source to a native library and a WASM module.
#
#   valor_add_plugin(NAME SOURCES a.cpp ...        NAME.so and NAME.wasm in the build folder
#                    [INCLUDE_DIRECTORIES dir ...]
#                    [DEFINITIONS NAME=value ...]
#                    [OUTPUT_DIRECTORY dir]
#                    [OUTPUT_NAME name])
#   Valor::sdk                                     the headers, for unit tests with valor/test.hpp
#
# Options, to be set before find_package() or on the command line:
#   VALOR_WASM           AUTO: NAME.wasm where a toolchain is found, a message otherwise. REQUIRED: an error otherwise.
#                        OFF: native libraries only
#   VALOR_WASM_CXX       the clang++ that compiles to WASM; found by itself otherwise
#   WASI_SDK_PATH        (also as an environment variable) a wasi-sdk to take it from
#   VALOR_WASM_NAMES     ON: the module keeps the names of its functions, which a trap shows in its stack. OFF: it does
#                        not. Unset: it does unless the build type is Release or MinSizeRel
include_guard(GLOBAL)
cmake_policy(VERSION 3.20...3.25)
include(CMakeFindDependencyMacro)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_dependency(Threads)

# Within Valor's repository, or installed.
if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/../include/valor/vlugin.hpp)
  get_filename_component(include_dir ${CMAKE_CURRENT_LIST_DIR}/../include ABSOLUTE)
  get_filename_component(abi_dir ${CMAKE_CURRENT_LIST_DIR}/../../../abi ABSOLUTE)
  get_filename_component(runtime ${CMAKE_CURRENT_LIST_DIR}/../wasm/runtime.cpp ABSOLUTE)
else()
  get_filename_component(include_dir ${CMAKE_CURRENT_LIST_DIR}/../../../include ABSOLUTE)
  set(abi_dir ${include_dir})
  get_filename_component(runtime ${CMAKE_CURRENT_LIST_DIR}/../../valor/wasm/runtime.cpp ABSOLUTE)
endif()

# The functions below are called from other folders than this file is found from, so what they need hangs on the target.
add_library(Valor::sdk INTERFACE IMPORTED GLOBAL)
set_target_properties(Valor::sdk PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${include_dir};${abi_dir}"
                      INTERFACE_COMPILE_FEATURES cxx_std_20 INTERFACE_LINK_LIBRARIES Threads::Threads
                      VALOR_WASM_RUNTIME ${runtime})
unset(include_dir)
unset(abi_dir)
unset(runtime)

include(${CMAKE_CURRENT_LIST_DIR}/ValorWasm.cmake)

function(valor_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "OUTPUT_DIRECTORY;OUTPUT_NAME" "SOURCES;INCLUDE_DIRECTORIES;DEFINITIONS")
  if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_SOURCES)
    message(FATAL_ERROR "valor_add_plugin(NAME SOURCES a.cpp ... [INCLUDE_DIRECTORIES ...] [DEFINITIONS ...] "
                        "[OUTPUT_DIRECTORY dir] [OUTPUT_NAME name]): got ${name} ${ARGN}")
  endif()
  if(NOT ARG_OUTPUT_DIRECTORY)
    set(ARG_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  endif()
  if(NOT ARG_OUTPUT_NAME)
    set(ARG_OUTPUT_NAME ${name})
  endif()
  add_library(${name} MODULE ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE Valor::sdk)
  target_include_directories(${name} PRIVATE ${ARG_INCLUDE_DIRECTORIES})
  target_compile_definitions(${name} PRIVATE ${ARG_DEFINITIONS})
  set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX .so
                        OUTPUT_NAME ${ARG_OUTPUT_NAME} LIBRARY_OUTPUT_DIRECTORY ${ARG_OUTPUT_DIRECTORY})
  valor_add_wasm(${name})
endfunction()
