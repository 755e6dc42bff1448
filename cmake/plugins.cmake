# Plug-ins of this repository that no SDK of C++ or Rust builds: those of tests and examples in C and in AssemblyScript.
find_program(VALOR_WASM_CC NAMES clang-19 clang)
set(VALOR_ASC ${CMAKE_SOURCE_DIR}/node_modules/assemblyscript/bin/asc.js)

# valor_c_plugin(TARGET SOURCE FOLDER [NAME n]): FOLDER/n.so and n.wasm, by the commands of docs/plugins-c.md. The name is that of the
# source unless given.
function(valor_c_plugin target source folder)
  get_filename_component(name ${source} NAME_WE)
  cmake_parse_arguments(ARG "" "NAME" "" ${ARGN})
  if(ARG_NAME)
    set(name ${ARG_NAME})
  endif()
  add_library(${target} MODULE ${source})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/abi)
  target_compile_options(${target} PRIVATE -Wall -Wextra)
  set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${folder}
                        C_VISIBILITY_PRESET hidden)
  if(VALOR_SANITIZE)
    return()
  endif()
  set(module ${folder}/${name}.wasm)
  add_custom_command(
    OUTPUT ${module}
    COMMAND ${VALOR_WASM_CC} --target=wasm32-wasi -mexec-model=reactor -Oz -Wall -Wextra -MD -MF ${module}.d
            -I ${CMAKE_SOURCE_DIR}/abi ${CMAKE_CURRENT_SOURCE_DIR}/${source} -Wl,--strip-debug -o ${module}
    DEPENDS ${source}
    DEPFILE ${module}.d
    COMMENT "Compiling ${name}.c to WASM" VERBATIM)
  add_custom_target(${target}-wasm ALL DEPENDS ${module})
endfunction()

# valor_assemblyscript_plugin(TARGET SOURCE FOLDER [NAME n]): the same in AssemblyScript, .wasm only.
file(GLOB VALOR_ASSEMBLYSCRIPT_SDK CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sdk/assemblyscript/*.json
     ${CMAKE_SOURCE_DIR}/sdk/assemblyscript/valor/*)
function(valor_assemblyscript_plugin target source folder)
  get_filename_component(name ${source} NAME_WE)
  cmake_parse_arguments(ARG "" "NAME" "" ${ARGN})
  if(ARG_NAME)
    set(name ${ARG_NAME})
  endif()
  set(module ${folder}/${name}.wasm)
  add_custom_command(
    OUTPUT ${module}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
    # The compiler takes relative names only, and messages show them.
    COMMAND ${CMAKE_COMMAND} -E chdir ${CMAKE_CURRENT_SOURCE_DIR} ${VALOR_NODE_PACKAGE}/bin/node ${VALOR_ASC} ${source}
            --config ${CMAKE_SOURCE_DIR}/sdk/assemblyscript/asconfig.json -o ${module}
    DEPENDS ${source} ${VALOR_ASSEMBLYSCRIPT_SDK} ${CMAKE_SOURCE_DIR}/package-lock.json
    COMMENT "Compiling ${name}.ts to WASM" VERBATIM)
  add_custom_target(${target} ALL DEPENDS ${module})
endfunction()
