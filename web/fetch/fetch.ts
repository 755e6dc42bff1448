// https://fetch.spec.whatwg.org/#fetch-method

import { requireArguments } from '../webidl/conversions.ts';
import { checkGlobal, defineOperation } from '../webidl/define.ts';
import { Fetching } from './fetching.ts';
import { pageRules } from './page-rules.ts';
import { Request, type RequestInit, requestState } from './request.ts';
import type { Response } from './response.ts';

function fetch(this: unknown, input: Request | string, init?: RequestInit | null): Promise<Response> {
  try {
    checkGlobal(this);
    // biome-ignore lint/complexity/noArguments: Web IDL counts the arguments that were passed
    requireArguments(arguments.length, 1, 'fetch');
    const state = requestState(new Request(input, init));
    return (pageRules?.createFetching(state) ?? new Fetching(state)).run();
  } catch (error) {
    return Promise.reject(error);
  }
}

export function installFetch(global: object): void {
  Object.defineProperty(fetch, 'length', { value: 1 });
  defineOperation(global, 'fetch', fetch as never, true);
}
