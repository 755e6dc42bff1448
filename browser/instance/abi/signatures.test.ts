// The functions of the ABI are those of abi/valor.h, in number, names and types.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAbi, wasmSignature } from '../../../tools/abi-list.ts';
import * as codes from './codes.ts';
import { guestFunctions, type HostFunction, hostFunctions } from './signatures.ts';
import { I64, type Types, typeOf, typesOf } from './testing/module-writer.ts';

const abi = readAbi();
/** "i64 i32 -> i32" */
const plain = (types: Types): string =>
  types
    .map((list) => list.map((type) => (type === I64 ? 'i64' : 'i32')).join(' '))
    .join(' -> ')
    .trim();

test('the functions of the host are those of the list, with their types', () => {
  const ours = Object.keys(hostFunctions).map((name) => [name, plain(typesOf(name as HostFunction))]);
  assert.deepEqual(
    ours,
    abi.host.map((one) => [one.name, wasmSignature(one)]),
  );
});

test('texts and places are where the list has pointers', () => {
  for (const { name, parameters } of abi.host) {
    const letters = parameters.flatMap(({ type }, i) => {
      if (parameters[i - 1]?.type.endsWith('*')) return [];
      if (type.endsWith('*')) return type.startsWith('const') ? 't' : 'o';
      if (parameters[i]?.name === 'instance') return 'n';
      return type === 'uint64_t' ? 'u' : 'i';
    });
    assert.equal(hostFunctions[name as HostFunction].split('>')[0], letters.join(''), name);
  }
});

test('the functions of the guest are those of the list, with their types', () => {
  const ours = Object.entries(guestFunctions).map(([name, letters]) => `${name} ${plain(typeOf(letters))}`);
  const listed = [...abi.guest, ...abi.exports].map((one) => `valor_${one.name} ${wasmSignature(one)}`);
  assert.deepEqual(ours.sort(), [...listed, '_initialize ->'].sort());
});

test('results have the values of the header', () => {
  const ours = { VALOR_OK: codes.FINE, VALOR_WAIT: codes.WAIT, VALOR_GONE: codes.GONE, VALOR_INVALID: codes.INVALID };
  const more = { VALOR_NO_INSTANCE: codes.NO_INSTANCE, VALOR_FAILED: codes.FAILED, VALOR_ABSENT: codes.ABSENT };
  for (const [name, value] of Object.entries({ ...ours, ...more })) {
    assert.equal(abi.constants[name]?.replace(/[()]/g, ''), String(value), name);
  }
});
