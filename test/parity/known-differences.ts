// Where a column may answer in another way than the others, and why it cannot be otherwise.

interface Known {
  case: RegExp;
  column: RegExp;
  reason: string;
}

const known: Known[] = [];

export function reasonFor(name: string, column: string): string | undefined {
  return known.find((one) => one.case.test(name) && one.column.test(column))?.reason;
}
