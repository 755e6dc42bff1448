const words = { en: 'Hello', de: 'Hallo', fr: 'Bonjour' };

export function greeting(language, name) {
  return `${words[language] ?? words.en}, ${name}!`;
}
