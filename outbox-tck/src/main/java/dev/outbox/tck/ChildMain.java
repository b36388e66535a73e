package dev.outbox.tck;

import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.tck.internal.process.ChildProcess;
import dev.outbox.tck.internal.process.KillPoint;
import dev.outbox.tck.internal.process.RelayLog;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The process that {@link ChildProcess} starts and kills. It does one command per line of its input, answers each with
 * a line, and ends with its input, so that it never outlives the tests.
 */
final class ChildMain {
    /** How long to wait before looking again, when nothing was there. */
    private static final long BETWEEN_CHECKOUTS = 2_000_000;

    private final StoreHarness harness;
    private final String address;

    private ChildMain(StoreHarness harness, String address) {
        this.harness = harness;
        this.address = address;
    }

    /** Takes the name of the harness class and the address of the outbox. */
    public static void main(String[] args) throws Exception {
        StoreHarness harness = Class.forName(args[0])
                .asSubclass(StoreHarness.class)
                .getConstructor()
                .newInstance();
        new ChildMain(harness, args[1]).run();
        // Threads of the driver may still be there.
        System.exit(0);
    }

    private void run() throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (Store store = harness.open(address)) {
            say("ready");
            MessageBatch batch = null;
            WriteTransaction transaction = null;
            String line;
            while ((line = in.readLine()) != null) {
                String[] words = line.split(" ", -1);
                switch (words[0]) {
                    case "checkout" -> {
                        batch = store.checkout(Set.of(words[1]), Integer.parseInt(words[2]));
                        say("holds" + ids(batch));
                    }
                    case "mark" -> {
                        MessageBatch open = required(batch);
                        open.messages().forEach(m -> open.markPublished(m, null));
                        say("marked");
                    }
                    case "close" -> {
                        try {
                            required(batch).close();
                            say("closed");
                        } catch (HoldLostException e) {
                            say("lost");
                        }
                    }
                    case "held" -> say("held " + required(batch).isHeld());
                    case "starve" -> {
                        starveCommonPool();
                        say("starving");
                    }
                    case "write" -> {
                        transaction = harness.begin(address);
                        for (int i = 3; i < words.length; i++) {
                            transaction.persistFunc().persist(message(words[1], words[2], words[i]));
                        }
                        say("written");
                    }
                    case "commit" -> {
                        if (transaction == null) {
                            throw new IllegalStateException("Write first.");
                        }
                        transaction.commit();
                        say("committed");
                    }
                    case "rows" -> writeRows(words[1], words[2]);
                    case "round" ->
                        round(KillPoint.valueOf(words[1]), store, words[2], words[3], Long.parseLong(words[4]));
                    case "move" ->
                        move(store, words[1], words[2], Integer.parseInt(words[3]), Long.parseLong(words[4]));
                    case "relay" -> relay(store, words[1], Integer.parseInt(words[2]));
                    case "loop" -> loop(store, words[1], Integer.parseInt(words[2]));
                    default -> throw new IllegalArgumentException("Not a command: " + line);
                }
            }
        }
    }

    /** Writes a row and a message about it in one transaction after the other, and says so after each. */
    @SuppressWarnings("try") // what the handle throws at close may be an InterruptedException
    private void writeRows(String topic, String run) throws Exception {
        for (int i = 1; ; i++) {
            try (WriteTransaction transaction = harness.begin(address)) {
                transaction.rows().write(run + "-" + i);
                transaction.persistFunc().persist(message(topic, "0", run + "-" + i));
                transaction.commit();
            }
            say("wrote " + i);
        }
    }

    /** Takes the threads that the whole process shares, as publishers do that wait where they should not. */
    private static void starveCommonPool() {
        CountDownLatch never = new CountDownLatch(1);
        for (int i = 0; i < 4 * Math.max(1, ForkJoinPool.getCommonPoolParallelism()); i++) {
            ForkJoinPool.commonPool().execute(() -> {
                try {
                    never.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
        }
    }

    /** Publishes batch after batch, saying first what it is about to settle and then that it has. */
    private static void loop(Store store, String topic, int limit) {
        while (true) {
            MessageBatch batch = store.checkout(Set.of(topic), limit);
            batch.messages().forEach(m -> batch.markPublished(m, null));
            if (!batch.messages().isEmpty()) {
                say("settling" + ids(batch));
            }
            batch.close();
            if (!batch.messages().isEmpty()) {
                say("settled" + ids(batch));
            }
        }
    }

    /** Goes through a relay's round up to a point, says so, and waits there for its end. */
    private static void round(KillPoint point, Store store, String topic, String limit, long haltAfterNanos) {
        MessageBatch batch = store.checkout(Set.of(topic), Integer.parseInt(limit));
        say("holds" + ids(batch));
        stopAt(KillPoint.AFTER_CHECKOUT, point);
        // The broker takes the messages: nothing that a store could notice.
        stopAt(KillPoint.AFTER_PUBLISH, point);
        batch.messages().forEach(m -> batch.markPublished(m, null));
        stopAt(KillPoint.AFTER_MARK, point);
        if (haltAfterNanos > 0) {
            haltAfter(haltAfterNanos);
        }
        long began = System.nanoTime();
        batch.close();
        say("closed " + (System.nanoTime() - began));
    }

    /** Moves all messages of a topic, and says how long that took. */
    private static void move(Store store, String topic, String toTopic, int toPartitions, long haltAfterNanos) {
        if (haltAfterNanos > 0) {
            haltAfter(haltAfterNanos);
        }
        long began = System.nanoTime();
        Operations.of(store).movePending(topic, toTopic, toPartitions, Integer.MAX_VALUE);
        say("moved " + (System.nanoTime() - began));
    }

    private static void stopAt(KillPoint here, KillPoint wanted) {
        if (here == wanted) {
            say("at " + here);
            while (true) {
                LockSupport.park();
            }
        }
    }

    /** Ends this process then, wherever it is, without a word to anybody. The thread spins, to be in time. */
    private static void haltAfter(long nanos) {
        CountDownLatch started = new CountDownLatch(1);
        Thread thread = new Thread(
                () -> {
                    started.countDown();
                    for (long end = System.nanoTime() + nanos; System.nanoTime() < end; ) {
                        Thread.onSpinWait();
                    }
                    Runtime.getRuntime().halt(1);
                },
                "tck-halt");
        thread.start();
        try {
            started.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Publishes batch after batch, and says of each what {@link RelayLog} understands. */
    private static void relay(Store store, String topic, int limit) {
        while (true) {
            long called = System.nanoTime();
            MessageBatch batch = store.checkout(Set.of(topic), limit);
            long returned = System.nanoTime();
            if (batch.messages().isEmpty()) {
                batch.close();
                LockSupport.parkNanos(BETWEEN_CHECKOUTS);
                continue;
            }
            batch.messages().forEach(m -> batch.markPublished(m, null));
            String ids = ids(batch);
            say("closing " + called + " " + returned + " " + System.nanoTime() + ids);
            batch.close();
            say("closed " + System.nanoTime());
        }
    }

    private static OutgoingMessage message(String topic, String partition, String text) {
        return new OutgoingMessage(
                topic, Integer.parseInt(partition), null, Map.of(), text.getBytes(StandardCharsets.UTF_8));
    }

    private static MessageBatch required(@Nullable MessageBatch batch) {
        if (batch == null) {
            throw new IllegalStateException("Check out first.");
        }
        return batch;
    }

    private static String ids(MessageBatch batch) {
        return batch.messages().stream()
                .map(PersistedMessage::id)
                .collect(Collectors.joining(" ", " ", ""))
                .stripTrailing();
    }

    /** Prints a whole line and flushes it. Its prefix tells it from other output. */
    private static void say(String what) {
        System.out.println(ChildProcess.PREFIX + what);
        System.out.flush();
    }
}
