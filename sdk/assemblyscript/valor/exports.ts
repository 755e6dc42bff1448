// What Valor calls: the guest's side of abi/valor.h. A second entry file beside the plug-in's own (asconfig.json).
import 'valor/abort';
import { ABI_VERSION } from 'valor/constants';
import { Creation, creator, handler } from 'valor/instance';
import { complete, drain } from 'valor/operation';
import { drop, keep, Request } from 'valor/request';
import { become } from 'valor/self';

export function valor_abi(): u32 {
  return ABI_VERSION;
}

export function valor_alloc(size: usize): usize {
  return heap.alloc(size);
}

export function valor_free(pointer: usize, size: usize): void {
  heap.free(pointer);
}

export function valor_create(instance: u64): usize {
  become(instance);
  const creation = new Creation();
  creator(creation);
  creation.returned();
  drain();
  return 0;
}

export function valor_start(self: usize, number: u64, head: usize, size: usize): void {
  const copy = new ArrayBuffer(size as i32);
  memory.copy(changetype<usize>(copy), head, size);
  const request = new Request(number, copy);
  const response = handler(request);
  if (response !== null) request.respond(response);
  else keep(request);
  drain();
}

export function valor_complete(self: usize, operation: u64, status: i32, data: usize, size: usize): void {
  complete(operation, status, data, size);
  drain();
}

export function valor_drop(self: usize, number: u64, reason: u32): void {
  drop(number);
  drain();
}

export function valor_destroy(self: usize): void {}
