// `self.valor`: what a plug-in gets from its operator.
import { defineHidden, defineReplaceable } from '../../web/webidl/define.ts';
import { natives } from './natives.ts';

let config: unknown;
let parsed = false;

/** The plug-in's config as a JavaScript value. */
export function getConfig(): unknown {
  if (!parsed) {
    config = JSON.parse(natives.isolateInfo().config);
    parsed = true;
  }
  return config;
}

export function installValorGlobal(global: object): void {
  let valor: object | undefined;
  // Known only once an instance runs.
  defineReplaceable(global, 'valor', () => {
    if (valor === undefined) {
      valor = {};
      defineHidden(valor, 'config', getConfig());
      Object.defineProperty(valor, 'config', { enumerable: true });
    }
    return valor;
  });
}
