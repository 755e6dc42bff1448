const shared = ['first'];
order.push(shared[0]);
