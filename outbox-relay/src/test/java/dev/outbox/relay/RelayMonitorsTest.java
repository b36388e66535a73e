package dev.outbox.relay;

import static dev.outbox.relay.Fixture.await;
import static dev.outbox.relay.Fixture.topic;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.outbox.Codec;
import dev.outbox.Codecs;
import dev.outbox.MessageBatch;
import dev.outbox.OutboxListener;
import dev.outbox.Receipt;
import dev.outbox.Topic;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A virtual thread that holds a monitor while it waits keeps a thread of the system from others. */
@Timeout(300)
class RelayMonitorsTest {
    private final Fixture fixture = new Fixture();
    private final Set<String> asked = ConcurrentHashMap.newKeySet();
    private final Set<String> held = ConcurrentHashMap.newKeySet();

    /** Notes what the thread holds that calls foreign code. */
    private void in(String where) {
        asked.add(where);
        note(where, Thread.currentThread());
    }

    private void note(String where, Thread thread) {
        try {
            for (Object monitor : monitorsOf(thread)) {
                held.add(where + ": " + monitor);
            }
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    /** By reflection, because the module of the relay does not read java.management. */
    private static List<Object> monitorsOf(Thread thread) throws ReflectiveOperationException {
        String threads = "java.lang.management.Thread";
        Object bean = Class.forName("java.lang.management.ManagementFactory")
                .getMethod("getThreadMXBean")
                .invoke(null);
        Object[] infos = (Object[]) Class.forName(threads + "MXBean")
                .getMethod("getThreadInfo", long[].class, boolean.class, boolean.class)
                .invoke(bean, new long[] {thread.getId()}, true, false);
        if (infos[0] == null) {
            return List.of(); // it has ended
        }
        Object[] monitors = (Object[])
                Class.forName(threads + "Info").getMethod("getLockedMonitors").invoke(infos[0]);
        return List.of(monitors);
    }

    @Test
    void noneIsHeldWhileForeignCodeRuns() {
        Codec<String> codec = new Codec<>() {
            @Override
            public byte[] encode(String message) throws Exception {
                return Codecs.text().encode(message);
            }

            @Override
            public String decode(byte[] payload) throws Exception {
                in("codec");
                return Codecs.text().decode(payload);
            }
        };
        Topic<String> sync = Topic.builder("sync", codec)
                .key(message -> message)
                .partitions(8)
                .publisher(d -> {
                    in(Thread.currentThread().getName().contains("-publisher-") ? "helper" : "publisher");
                    if (d.message().equals("fails")) {
                        throw new IllegalStateException("of the test");
                    }
                    return Receipt.taken();
                })
                .build();
        Topic<String> async = topic("async")
                .asyncPublisher(d -> {
                    in("asynchronous publisher");
                    return CompletableFuture.completedFuture(Receipt.taken());
                })
                .build();
        Relay.Builder builder = Fixture.relay(new WrappedStore(fixture.store) {
                    @Override
                    public MessageBatch checkout(Set<String> topics, int limit) {
                        in("checkout");
                        return new Batch(super.checkout(topics, limit)) {
                            @Override
                            public boolean isHeld() {
                                in("isHeld");
                                return super.isHeld();
                            }

                            @Override
                            public void close() {
                                in("close");
                                super.close();
                            }
                        };
                    }
                })
                .topic(sync)
                .topic(async)
                .workers(2)
                .around((delivery, call) -> {
                    in("interceptor");
                    return call.proceed();
                })
                .listener(new OutboxListener() {
                    @Override
                    public void published(Published event) {
                        in("listener of messages");
                    }

                    @Override
                    public void failed(Failed event) {
                        in("listener of failures");
                    }

                    @Override
                    public void settled(Settled event) {
                        in("listener of batches");
                    }
                });
        try (Relay relay = builder.build()) {
            relay.start();
            fixture.commit(sync, "a", "b", "c", "d", "e", "f", "g", "h", "fails");
            fixture.commit(async, "k:1");
            await(
                    "everything was called",
                    () -> asked.containsAll(Set.of(
                            "codec",
                            "helper",
                            "asynchronous publisher",
                            "checkout",
                            "isHeld",
                            "close",
                            "interceptor",
                            "listener of messages",
                            "listener of failures",
                            "listener of batches")));
            await("threads of the relay wait", () -> waiting() >= 2);
        }
        assertEquals(Set.of(), held);
    }

    private int waiting() {
        int count = 0;
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().startsWith("outbox-relay-")
                    && (thread.getState() == Thread.State.TIMED_WAITING || thread.getState() == Thread.State.WAITING)) {
                note("waiting", thread);
                count++;
            }
        }
        return count;
    }
}
