// Where a column may answer in another way than the others, and why it cannot be otherwise.

interface Known {
  case: RegExp;
  column: RegExp;
  reason: string;
}

const known: Known[] = [
  {
    case: /^echo: bytes of a header value$/,
    column: / chromium /,
    reason:
      "Chromium gives service workers an empty value in place of one with bytes beyond ASCII, and pages such values of a service worker's answer in UTF-8",
  },
  {
    case: /^(echo: blocking holds up nobody|hasty: who computes too long)/,
    column: / service-worker$/,
    reason: 'in the service worker all plug-ins share one thread, and nothing can stop what computes there',
  },
];

export function reasonFor(name: string, column: string): string | undefined {
  return known.find((one) => one.case.test(name) && one.column.test(column))?.reason;
}
