package dev.outbox.micrometer;

import dev.outbox.Operations;
import dev.outbox.Store;
import dev.outbox.StoreException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;

/** A store that fails or hangs when a test wants it to, and knows which threads asked it. */
final class FaultyStore {
    private final Store real;
    private final Queue<Thread> threads = new ConcurrentLinkedQueue<>();
    private volatile boolean fails;
    private volatile CountDownLatch gate = new CountDownLatch(0);

    FaultyStore(Store real) {
        this.real = real;
    }

    Store store() {
        return (Store) Proxy.newProxyInstance(
                FaultyStore.class.getClassLoader(),
                new Class<?>[] {Store.class, Operations.class},
                (proxy, method, arguments) -> {
                    if (method.getDeclaringClass() == Operations.class) {
                        threads.add(Thread.currentThread());
                        gate.await();
                        if (fails) {
                            throw new StoreException("The store is away.");
                        }
                    }
                    try {
                        return method.invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    void fail(boolean now) {
        fails = now;
    }

    void hang() {
        gate = new CountDownLatch(1);
    }

    void answer() {
        gate.countDown();
    }

    /** One for each question. */
    List<Thread> threads() {
        return List.copyOf(threads);
    }
}
