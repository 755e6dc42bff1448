order.push(`second after ${shared[0]}`);
