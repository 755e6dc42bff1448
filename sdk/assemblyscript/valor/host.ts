// What Valor offers to a plug-in, as abi/valor-host.inc lists and describes it. A test compares the two lists.
@external("valor", "create_done")
export declare function create_done(instance: u64): i32;
@external("valor", "create_fail")
export declare function create_fail(instance: u64, message: usize, message_size: usize): i32;
@external("valor", "abort")
export declare function abort(instance: u64, message: usize, message_size: usize): i32;
@external("valor", "config")
export declare function config(instance: u64, buffer: usize, capacity: usize): i32;
@external("valor", "name")
export declare function name(instance: u64, buffer: usize, capacity: usize): i32;
@external("valor", "location")
export declare function location(instance: u64, buffer: usize, capacity: usize): i32;
@external("valor", "log")
export declare function log(instance: u64, level: u32, message: usize, message_size: usize): i32;
@external("valor", "state_get")
export declare function state_get(instance: u64, key: usize, key_size: usize, buffer: usize, capacity: usize): i32;
@external("valor", "state_set")
export declare function state_set(instance: u64, key: usize, key_size: usize, value: usize, value_size: usize): i32;
@external("valor", "state_delete")
export declare function state_delete(instance: u64, key: usize, key_size: usize): i32;
@external("valor", "respond")
export declare function respond(
  instance: u64, request: u64, status: u32, headers: usize, headers_size: usize, body: usize, body_size: usize): i32;
@external("valor", "send_head")
export declare function send_head(
  instance: u64, request: u64, status: u32, headers: usize, headers_size: usize, length: u64): i32;
@external("valor", "send_body")
export declare function send_body(instance: u64, exchange: u64, data: usize, data_size: usize, operation: u64): i32;
@external("valor", "send_end")
export declare function send_end(instance: u64, exchange: u64): i32;
@external("valor", "fail")
export declare function fail(instance: u64, request: u64, message: usize, message_size: usize): i32;
@external("valor", "body_read")
export declare function body_read(instance: u64, exchange: u64, buffer: usize, capacity: usize, operation: u64): i32;
@external("valor", "fetch")
export declare function fetch(
  instance: u64, request: u64, method: usize, method_size: usize, url: usize, url_size: usize, headers: usize,
  headers_size: usize, length: u64, flags: u32, operation: u64): i64;
@external("valor", "fetch_cancel")
export declare function fetch_cancel(instance: u64, fetch: u64): i32;
@external("valor", "sleep")
export declare function sleep(instance: u64, milliseconds: u64, operation: u64): i32;
@external("valor", "cancel")
export declare function cancel(instance: u64, operation: u64): i32;
@external("valor", "now")
export declare function now(clock: u32): u64;
@external("valor", "random")
export declare function random(buffer: usize, size: usize): i32;
