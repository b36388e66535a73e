package dev.outbox.examples.shop;

import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Customers who order at the same time, each one order after the other, while the shop is open. */
final class Customers implements AutoCloseable {
    private static final int CUSTOMERS = 8;

    private final Queue<String> accepted = new ConcurrentLinkedQueue<>();
    private final AtomicReference<@Nullable ShopProcess> shop = new AtomicReference<>();
    private final ExecutorService threads = Executors.newFixedThreadPool(CUSTOMERS);
    private final List<Future<?>> orders;

    /** Starts them; each orders this many times. */
    Customers(int times) {
        orders = IntStream.range(0, CUSTOMERS)
                .<Future<?>>mapToObj(customer -> threads.submit(() -> order("C-" + customer, times)))
                .toList();
    }

    private @Nullable Void order(String customer, int times) throws InterruptedException {
        for (int i = 0; i < times; i++) {
            String number = customer + String.format(Locale.ROOT, "-%05d", i);
            if (open().order(number, customer)) {
                accepted.add(number);
            }
        }
        return null;
    }

    private ShopProcess open() throws InterruptedException {
        synchronized (shop) {
            ShopProcess open = shop.get();
            while (open == null) {
                shop.wait();
                open = shop.get();
            }
            return open;
        }
    }

    /** From now on they order here; nowhere if it is null. */
    void goTo(@Nullable ShopProcess open) {
        synchronized (shop) {
            shop.set(open);
            shop.notifyAll();
        }
    }

    Queue<String> accepted() {
        return accepted;
    }

    /** Whether all have ordered. */
    boolean areDone() throws ExecutionException, InterruptedException {
        for (Future<?> order : orders) {
            if (!order.isDone()) {
                return false;
            }
            order.get();
        }
        return true;
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
