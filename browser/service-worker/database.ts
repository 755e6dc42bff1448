// One record in an IndexedDB database of its own. Reading never creates the database, so that a service worker which looks
// after everything has been removed leaves nothing behind.

const storeName = 'registry';
const key = 'registry';

const result = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });

/** `create` false: null where the database does not exist. */
function open(name: string, create: boolean): Promise<IDBDatabase | null> {
  return new Promise((done, fail) => {
    const request = indexedDB.open(name, 1);
    let absent = false;
    request.onupgradeneeded = () => {
      if (create) request.result.createObjectStore(storeName);
      else {
        absent = true;
        request.transaction!.abort();
      }
    };
    request.onsuccess = () => {
      // Another place deletes the database: it is not held up by a connection that is about to close.
      request.result.onversionchange = () => request.result.close();
      done(request.result);
    };
    request.onerror = (event) => {
      event.preventDefault();
      if (absent) done(null);
      else fail(request.error);
    };
  });
}

export async function readRecord<T>(name: string): Promise<T | null> {
  const database = await open(name, false);
  if (!database) return null;
  try {
    return ((await result(database.transaction(storeName).objectStore(storeName).get(key))) as T) ?? null;
  } finally {
    database.close();
  }
}

/**
 * Replaces the record by what `change` makes of it, in one transaction; resolves when that is on disk, as far as the browser
 * promises. null: there was none.
 */
export async function changeRecord<T>(name: string, change: (record: T | null) => T): Promise<T> {
  const database = (await open(name, true))!;
  try {
    const transaction = database.transaction(storeName, 'readwrite', { durability: 'strict' });
    const complete = new Promise<void>((done, fail) => {
      transaction.oncomplete = () => done();
      transaction.onabort = () =>
        fail(transaction.error ?? new DOMException('the transaction was aborted', 'AbortError'));
    });
    const store = transaction.objectStore(storeName);
    let changed: T;
    try {
      changed = change(((await result(store.get(key))) as T) ?? null);
      store.put(changed, key);
    } catch (error) {
      transaction.abort();
      await complete.catch(() => {});
      throw error;
    }
    await complete;
    return changed;
  } finally {
    database.close();
  }
}

export async function deleteRecord(name: string): Promise<void> {
  await new Promise<void>((done, fail) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => done();
    request.onerror = () => fail(request.error);
  });
}
