// The cases file of `valor test`: requests, and what is expected of their answers.
import { isDeepStrictEqual } from 'node:util';
import { suggestion, UsageError } from './arguments.ts';
import { type Path, pathText, readJson } from './json-lines.ts';
import type { Answer, CaseRequest } from './test-ask.ts';

export interface Expectation {
  status: number;
  /** By name in lower case; null: there is none. */
  headers: Record<string, string | null>;
  body?: string;
  json?: unknown;
  contains: string[];
}

export interface Case {
  name: string;
  request: CaseRequest;
  expect: Expectation;
}

type Fields = Record<string, unknown>;

/** Throws UsageError that names file, line and field. */
export function readCases(text: string, file: string): Case[] {
  const { value, lineOf } = readJson(text, file);
  const refuse = (path: Path, why: string): never => {
    throw new UsageError(`${file}:${lineOf(path)}: ${pathText(path) || 'the file'} ${why}`);
  };
  const shown = (given: unknown): string => JSON.stringify(given)?.slice(0, 80) ?? 'nothing';
  /** The fields of an object, none other than `known`. */
  const object = (given: unknown, path: Path, known: string[] | null): Fields => {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) refuse(path, 'is no object');
    for (const name of known === null ? [] : Object.keys(given as Fields)) {
      if (known?.includes(name)) continue;
      const there = `; there are ${known?.join(', ')}`;
      refuse([...path, name], `is no field${suggestion(name, known ?? []) || there}`);
    }
    return given as Fields;
  };
  const string = (given: unknown, path: Path): string =>
    typeof given === 'string' ? given : refuse(path, `is a string, not ${shown(given)}`);
  const list = (given: unknown, path: Path): unknown[] =>
    Array.isArray(given) ? given : refuse(path, `is a list, not ${shown(given)}`);
  const atMostOne = (fields: Fields, path: Path, names: string[]): void => {
    const given = names.filter((name) => name in fields);
    if (given.length > 1) refuse([...path, given[1]!], `and ${given[0]} exclude each other`);
  };
  const strings = (given: unknown, path: Path, orNull: boolean): Record<string, string | null> => {
    const fields = object(given, path, null);
    for (const [name, one] of Object.entries(fields)) if (!(orNull && one === null)) string(one, [...path, name]);
    return Object.fromEntries(Object.entries(fields).map(([name, one]) => [name.toLowerCase(), one as string | null]));
  };

  const readRequest = (given: unknown, path: Path): CaseRequest => {
    const fields = object(given, path, ['method', 'path', 'headers', 'body', 'json', 'base64']);
    const of = (name: string): Path => [...path, name];
    atMostOne(fields, path, ['body', 'json', 'base64']);
    const headers = strings(fields.headers ?? {}, of('headers'), false) as Record<string, string>;
    const request: CaseRequest = {
      method: string(
        fields.method ?? ('body' in fields || 'json' in fields || 'base64' in fields ? 'POST' : 'GET'),
        of('method'),
      ),
      path: string(fields.path ?? '', of('path')),
      headers,
    };
    const encode = (text: string): string => Buffer.from(text).toString('base64');
    if ('body' in fields) request.body = encode(string(fields.body, of('body')));
    if ('json' in fields) {
      request.body = encode(JSON.stringify(fields.json));
      headers['content-type'] ??= 'application/json';
    }
    if ('base64' in fields) {
      const body = string(fields.base64, of('base64'));
      if (!/^[A-Za-z0-9+/]*={0,2}$/.test(body) || body.length % 4 !== 0) refuse(of('base64'), 'is no base64');
      request.body = body;
    }
    if (request.body !== undefined && /^(GET|HEAD)$/i.test(request.method)) {
      refuse(of('method'), `is ${request.method}, which has no body`);
    }
    return request;
  };

  const readExpectation = (given: unknown, path: Path): Expectation => {
    const fields = object(given, path, ['status', 'headers', 'body', 'json', 'contains']);
    const of = (name: string): Path => [...path, name];
    atMostOne(fields, path, ['body', 'json']);
    const status = fields.status ?? 200;
    if (!Number.isInteger(status) || Number(status) < 200 || Number(status) > 599) {
      refuse(of('status'), `is a whole number from 200 to 599, not ${shown(status)}`);
    }
    const expected: Expectation = {
      status: status as number,
      headers: strings(fields.headers ?? {}, of('headers'), true),
      contains:
        typeof fields.contains === 'string'
          ? [fields.contains]
          : list(fields.contains ?? [], of('contains')).map((one, i) => string(one, [...of('contains'), i])),
    };
    if ('body' in fields) expected.body = string(fields.body, of('body'));
    if ('json' in fields) expected.json = fields.json;
    return expected;
  };

  const top = object(value, [], ['cases']);
  const cases = list(top.cases, ['cases']);
  if (cases.length === 0) refuse(['cases'], 'is empty');
  return cases.map((given, i) => {
    const path = ['cases', i];
    const fields = object(given, path, ['name', 'request', 'expect']);
    if (!('expect' in fields)) refuse(path, 'has no "expect"');
    const request = readRequest(fields.request ?? {}, [...path, 'request']);
    return {
      name: string(fields.name ?? `${request.method} ${request.path || 'the mount'}`, [...path, 'name']),
      request,
      expect: readExpectation(fields.expect, [...path, 'expect']),
    };
  });
}

const longest = 300;
const quoted = (text: string): string => JSON.stringify(text.length > longest ? `${text.slice(0, longest)}...` : text);

/** What is not as expected, a sentence each. */
export function differences(answer: Answer, expect: Expectation): string[] {
  if (answer.error !== undefined) return [answer.error];
  if (answer.redirected)
    return Math.floor(expect.status / 100) === 3 ? [] : [`it redirects; status ${expect.status} is expected`];
  const found: string[] = [];
  const body = Buffer.from(answer.body, 'base64').toString();
  if (answer.status !== expect.status) {
    found.push(`status is ${answer.status}, not ${expect.status}${body && `; its body: ${quoted(body)}`}`);
  }
  for (const [name, wanted] of Object.entries(expect.headers)) {
    const values = answer.headers.filter(([key]) => key === name).map(([, value]) => value);
    const got = values.length > 0 ? values.join(', ') : null;
    if (got === wanted) continue;
    if (wanted === null) found.push(`there is a header ${name}: ${quoted(got!)}`);
    else if (got === null) found.push(`there is no header ${name}`);
    else found.push(`header ${name} is ${quoted(got)}, not ${quoted(wanted)}`);
  }
  if (expect.body !== undefined && body !== expect.body) {
    found.push(`body is ${quoted(body)}, not ${quoted(expect.body)}`);
  }
  if ('json' in expect) {
    let got: unknown;
    try {
      got = JSON.parse(body);
    } catch {
      found.push(`body is no JSON: ${quoted(body)}`);
    }
    if (got !== undefined && !isDeepStrictEqual(got, expect.json)) {
      found.push(
        `body is ${JSON.stringify(got).slice(0, longest)}, not ${JSON.stringify(expect.json).slice(0, longest)}`,
      );
    }
  }
  for (const part of expect.contains) {
    if (!body.includes(part)) found.push(`body does not contain ${quoted(part)}: ${quoted(body)}`);
  }
  return found;
}
