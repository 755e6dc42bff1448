# Plug-ins in Rust of this repository, built by sdk/rust/build as a plug-in's author would.
find_program(VALOR_CARGO cargo REQUIRED)
set(VALOR_RUST_SDK ${CMAKE_SOURCE_DIR}/sdk/rust)
# Cargo knows no network here: there is nothing to fetch.
set(VALOR_CARGO_ENVIRONMENT CARGO_NET_OFFLINE=true CARGO_TERM_COLOR=never)
file(GLOB_RECURSE VALOR_RUST_SDK_SOURCES CONFIGURE_DEPENDS ${VALOR_RUST_SDK}/*/src/*.rs)
list(APPEND VALOR_RUST_SDK_SOURCES ${VALOR_RUST_SDK}/build ${VALOR_RUST_SDK}/valor/Cargo.toml
     ${VALOR_RUST_SDK}/valor-macros/Cargo.toml)
# They share a folder of Cargo's, which it locks: one after the other.
set_property(GLOBAL APPEND PROPERTY JOB_POOLS rust=1)

# valor_rust_plugin(TARGET SOURCE FOLDER): FOLDER/n.so and n.wasm of a file n.rs, or of a crate n in a folder.
function(valor_rust_plugin target source folder)
  get_filename_component(name ${source} NAME_WE)
  if(source MATCHES "[.]rs$")
    set(sources ${CMAKE_CURRENT_SOURCE_DIR}/${source})
  else()
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source}/src/*.rs
         ${CMAKE_CURRENT_SOURCE_DIR}/${source}/Cargo.toml)
  endif()
  set(outputs ${folder}/${name}.so)
  set(kind native)
  if(NOT VALOR_SANITIZE)
    list(APPEND outputs ${folder}/${name}.wasm)
    set(kind all)
  endif()
  add_custom_command(
    OUTPUT ${outputs}
    COMMAND ${CMAKE_COMMAND} -E env ${VALOR_CARGO_ENVIRONMENT} ${VALOR_RUST_SDK}/build --target ${kind} --out ${folder}
            --work ${CMAKE_BINARY_DIR}/rust ${CMAKE_CURRENT_SOURCE_DIR}/${source}
    # The script leaves a file alone that has not changed, and then it would be looked at in each build.
    COMMAND ${CMAKE_COMMAND} -E touch ${outputs}
    DEPENDS ${sources} ${VALOR_RUST_SDK_SOURCES}
    JOB_POOL rust
    COMMENT "Building ${name} in Rust" VERBATIM)
  add_custom_target(${target} ALL DEPENDS ${outputs})
endfunction()
