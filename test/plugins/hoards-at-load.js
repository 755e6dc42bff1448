const hoard = [];
for (;;) hoard.push(new Array(10_000).fill({}));
