package dev.outbox.tck.internal.explore;

import dev.outbox.Capability;
import dev.outbox.DeadLetter;
import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.OutboxException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.tck.internal.explore.ModelBatch.Mark;
import dev.outbox.tck.internal.explore.ModelBatch.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Runs one sequence against a store, and lets the model judge every answer. At the end it publishes everything that
 * is left, so that nothing can have been lost. The topics are of this play alone, so that a store may have been used
 * before.
 */
final class Play {
    /** Delays up to this are waited for; longer ones end with retryNow. */
    static final long SHORT_MILLIS = 100;

    private static final long LONGEST_TAKE_OVER = TimeUnit.SECONDS.toNanos(11);
    private static final int LARGEST_LIMIT = 100_000;

    /** After how many checkouts at the end the limit is doubled. */
    private static final int ROUNDS = 8;

    private static final int BYTES_OF_NUMBER = 8;

    private final Clients clients;
    private final String name;
    private final Model model;
    private final boolean operations;
    private final Set<String> topics = new LinkedHashSet<>();
    private final Map<Integer, Written> transactions = new TreeMap<>();
    private final Map<Integer, Open> batches = new TreeMap<>();
    private final Map<Integer, MessageBatch> closed = new TreeMap<>();
    private final Progress progress;
    private final long started;
    private int written;
    private int texts;

    /** What a play tells its watcher. */
    interface Progress {
        /** A call begins, of which the rule says that it returns. */
        void begins(String rule);

        /** That many messages were compared with the model. */
        void compared(int messages);
    }

    private record Written(Target.Transaction transaction, Object group, List<OutgoingMessage> messages) {}

    private record Open(int client, MessageBatch batch, ModelBatch model) {}

    Play(Clients clients, String name, Progress progress) throws Exception {
        started = System.nanoTime();
        this.clients = clients;
        this.name = name;
        this.progress = progress;
        Store store = call("OBX-LIFE-2", "opening a client", () -> clients.get(1));
        this.model = new Model(store.capabilities().has(Capability.PARTITION_EXCLUSIVITY));
        this.operations = store.capabilities().has(Capability.OPERATIONS);
    }

    /** Ends whatever is open, without a look at what comes of it. */
    void abandon() {
        transactions.values().forEach(each -> Clients.closeQuietly(each.transaction()));
        batches.values().forEach(each -> Clients.closeQuietly(each.batch()));
    }

    // --- steps

    void run(Step step) throws Exception {
        switch (step.kind()) {
            case BEGIN -> begin(step.at(0));
            case WRITE -> write(step, false);
            case WRITE_TOGETHER -> write(step, true);
            case COMMIT -> end(step.at(0), true);
            case ROLL_BACK -> end(step.at(0), false);
            case CHECK_OUT -> checkOut(step);
            case PUBLISH, FAIL, BURY -> mark(step, some(step));
            case PUBLISH_HEADS, FAIL_HEADS, BURY_HEADS -> mark(step, heads(step));
            case CLOSE -> close(step.at(0));
            case CLOSE_AGAIN -> closeAgain(closed.get(step.at(0)));
            case MISUSE -> misuse(step.at(0));
            case RETRY_NOW -> retryNow(step.at(0), topic(step.at(1)), step.at(2));
            case REDRIVE, REDRIVE_BACKWARDS, DISCARD -> bringBack(step);
            case LOOK -> look(step.at(0), step.at(1));
            case AWAIT_DELAYS -> waitUntil(model.delaysOverAt(SHORT_MILLIS));
            case REST -> waitUntil(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(step.at(0)));
            case REOPEN -> reopen(step.at(0));
            case FINISH -> finish(step.at(0));
        }
    }

    private String topic(int number) {
        // The third is the first with capital letters.
        String topic = number == 3 ? name.toUpperCase(Locale.ROOT) + 1 : name + number;
        topics.add(topic);
        return topic;
    }

    private void begin(int number) throws Exception {
        if (!transactions.containsKey(number)) {
            progress.begins("OBX-TX-5");
            transactions.put(
                    number, new Written(call("OBX-TX-5", "begin", clients::begin), new Object(), new ArrayList<>()));
        }
    }

    private void write(Step step, boolean together) throws Exception {
        Written into = transactions.get(step.at(0));
        if (into == null) {
            return;
        }
        List<OutgoingMessage> messages = new ArrayList<>();
        for (int i = 0; i < step.at(4); i++) {
            for (int p = 0; p < step.at(3); p++) {
                messages.add(message(topic(step.at(1)), step.at(2) + p, step.at(5)));
            }
        }
        List<String> ids = new ArrayList<>();
        call("OBX-TX-5", "persist", () -> {
            if (together) {
                ids.addAll(into.transaction().persistFunc().persistAll(messages));
            } else {
                for (OutgoingMessage each : messages) {
                    ids.add(into.transaction().persistFunc().persist(each));
                }
            }
            return ids;
        });
        if (!ids.equals(messages.stream().map(OutgoingMessage::id).toList())) {
            throw new Violation("OBX-ID-1", "persist returned other ids than those of the messages");
        }
        for (OutgoingMessage each : messages) {
            model.wrote(into.group(), each, into.messages().size());
            into.messages().add(each);
        }
    }

    private OutgoingMessage message(String topic, int partition, int bytes) {
        byte[] payload = new byte[bytes];
        int number = ++written;
        for (int i = 0; i < Math.min(BYTES_OF_NUMBER, bytes); i++) {
            payload[i] = (byte) (number >> (8 * i));
        }
        return new OutgoingMessage(
                topic,
                partition,
                number % 3 == 0 ? null : number % 5 == 0 ? "" : number % 7 == 0 ? " \ud83d\udc1d " : "key " + number,
                number % 4 == 0 ? Map.of("trace", " \ud83d\udc1d " + number, "empty", "") : Map.of(),
                payload);
    }

    @SuppressWarnings("try") // what the handle throws at close may be an InterruptedException
    private void end(int number, boolean commit) throws Exception {
        Written ended = transactions.remove(number);
        if (ended == null) {
            return;
        }
        try (Target.Transaction transaction = ended.transaction()) {
            call("OBX-TX-5", commit ? "commit" : "rollback", () -> {
                if (commit) {
                    transaction.commit();
                } else {
                    transaction.rollback();
                }
                return true;
            });
        }
        if (commit) {
            model.committed(ended.messages());
        } else {
            model.rolledBack(ended.messages());
        }
    }

    private void checkOut(Step step) throws Exception {
        int number = step.at(1);
        if (batches.containsKey(number)) {
            return;
        }
        Set<String> asked = new HashSet<>();
        for (int i = 0; i < step.at(3); i++) {
            asked.add(topic(step.at(2) + i));
        }
        Open open = checkOut(step.at(0), asked, step.at(4));
        if (open.batch().messages().isEmpty()) {
            close(open);
        } else {
            batches.put(number, open);
        }
    }

    private Open checkOut(int client, Set<String> asked, int limit) throws Exception {
        Store store = call("OBX-LIFE-2", "opening a client", () -> clients.get(client));
        long called = System.nanoTime();
        MessageBatch batch = call("OBX-LIMIT-2", "checkout", () -> store.checkout(asked, limit));
        long returned = System.nanoTime();
        if (batch == null) {
            throw new Violation("OBX-CLOSE-5", "checkout returned null");
        }
        progress.compared(batch.messages().size());
        try {
            ModelBatch model =
                    this.model.checkedOut("client " + client, asked, limit, batch.messages(), called, returned);
            return new Open(client, batch, model);
        } catch (Violation e) {
            requireHolds(e.rule());
            Clients.closeQuietly(batch);
            throw e;
        }
    }

    /** Of a batch that has lost its hold, as after a pause of this machine, others may have the messages. */
    private void requireHolds(String rule) throws Unproven {
        if (!Set.of("OBX-EXCL-1", "OBX-ORDER-3").contains(rule)) {
            return;
        }
        for (Open each : List.copyOf(batches.values())) {
            try {
                each.batch().close();
            } catch (OutboxException e) {
                throw lostHold(e);
            }
        }
        batches.clear();
    }

    // --- marks

    private List<PersistedMessage> some(Step step) {
        Open open = batches.get(step.at(0));
        List<PersistedMessage> some = new ArrayList<>();
        if (open != null) {
            List<PersistedMessage> all = open.batch().messages();
            long last = Math.min(all.size(), step.at(1) + (long) step.at(2) * step.at(3));
            for (long i = step.at(1); i < last; i += step.at(3)) {
                some.add(all.get((int) i));
            }
        }
        return some;
    }

    private List<PersistedMessage> heads(Step step) {
        Open open = batches.get(step.at(0));
        if (open == null) {
            return List.of();
        }
        Map<ModelPartition, List<PersistedMessage>> unmarked = new LinkedHashMap<>();
        for (PersistedMessage each : open.batch().messages()) {
            ModelMessage message = open.model().messages().get(each);
            if (message != null && !open.model().marks().containsKey(message)) {
                unmarked.computeIfAbsent(message.partition, p -> new ArrayList<>())
                        .add(each);
            }
        }
        return unmarked.values().stream()
                .skip(step.at(1))
                .limit(step.at(2))
                .flatMap(own -> own.stream().limit(step.at(3)))
                .toList();
    }

    private void mark(Step step, List<PersistedMessage> some) throws Exception {
        Open open = batches.get(step.at(0));
        if (open == null) {
            return;
        }
        for (PersistedMessage each : some) {
            ModelMessage message = open.model().messages().get(each);
            if (message == null || open.model().marks().containsKey(message)) {
                continue;
            }
            String reason = "reason " + ++texts + (texts % 16 == 0 ? "\0\ud83d" : "");
            Mark mark = switch (step.kind()) {
                case PUBLISH, PUBLISH_HEADS -> new Mark(Outcome.PUBLISHED, reason, 0);
                case FAIL, FAIL_HEADS -> new Mark(Outcome.FAILED, reason, step.delayMillis());
                default -> new Mark(Outcome.BURIED, reason, 0);
            };
            call("OBX-CLOSE-6", "a mark", () -> {
                switch (mark.outcome()) {
                    case PUBLISHED -> open.batch().markPublished(each, texts % 2 == 0 ? null : "broker " + texts);
                    case FAILED -> open.batch().markFailed(each, reason, Duration.ofMillis(mark.delayMillis()));
                    case BURIED -> open.batch().deadLetter(each, reason);
                }
                return true;
            });
            open.model().marks().put(message, mark);
        }
    }

    private void close(int number) throws Exception {
        Open open = batches.remove(number);
        if (open != null) {
            close(open);
            closed.put(number, open.batch());
        }
    }

    private void close(Open open) throws Exception {
        List<PersistedMessage> before = List.copyOf(open.batch().messages());
        long called = System.nanoTime();
        call("OBX-CLOSE-1", "close", () -> {
            open.batch().close();
            return true;
        });
        model.closed(open.model(), called, System.nanoTime());
        if (!before.equals(open.batch().messages())) {
            throw new Violation("OBX-CLOSE-6", "the messages of a batch are others after its close");
        }
        if (open.batch().isHeld()) {
            throw new Violation("OBX-FENCE-3", "isHeld of a batch that is closed");
        }
    }

    private void closeAgain(@Nullable MessageBatch batch) throws Exception {
        if (batch != null) {
            progress.begins("OBX-CLOSE-3");
            try {
                batch.close();
            } catch (OutboxException e) {
                throw new Violation("OBX-CLOSE-3", "the second close of a batch threw " + e);
            } finally {
                progress.begins("");
            }
        }
    }

    /** A second mark and a second close change nothing, nor does a mark after close. */
    private void misuse(int number) throws Exception {
        Open open = batches.get(number);
        if (open == null) {
            return;
        }
        for (Map.Entry<PersistedMessage, ModelMessage> each :
                open.model().messages().entrySet()) {
            if (open.model().marks().containsKey(each.getValue())) {
                requireMisuse(open.batch(), each.getKey());
                break;
            }
        }
        close(number);
        open.model().messages().keySet().stream().findFirst().ifPresent(each -> requireMisuse(open.batch(), each));
        closeAgain(open.batch());
    }

    private static void requireMisuse(MessageBatch batch, PersistedMessage message) {
        try {
            batch.markPublished(message, null);
        } catch (MisuseException e) {
            return;
        }
        throw new Violation("OBX-CLOSE-4", "a mark was accepted after close, or a second one of the same message");
    }

    // --- operations

    private Operations operations(int client) throws Exception {
        return call("OBX-CAP-1", "asking for operations", () -> Operations.of(clients.get(client)));
    }

    private void retryNow(int client, String topic, int partition) throws Exception {
        if (operations) {
            Operations of = operations(client);
            long called = System.nanoTime();
            boolean said = call("OBX-OPS-3", "retryNow", () -> of.retryNow(topic, partition));
            model.retriedNow(topic, partition, said, called, System.nanoTime());
        }
    }

    private void bringBack(Step step) throws Exception {
        List<String> dead = model.dead(topic(step.at(1)));
        int from = Math.min(dead.size(), step.at(2));
        List<String> some = new ArrayList<>(dead.subList(from, (int) Math.min(dead.size(), from + (long) step.at(3))));
        if (!operations || some.isEmpty()) {
            return;
        }
        Operations of = operations(step.at(0));
        if (step.kind() == Step.Kind.DISCARD) {
            model.discarded(some, call("OBX-DEAD-4", "discard", () -> of.discard(some)));
            return;
        }
        if (step.kind() == Step.Kind.REDRIVE_BACKWARDS) {
            Collections.reverse(some);
        }
        List<String> asked = new ArrayList<>(some);
        asked.add(some.size() / 2, "no such id");
        asked.add(some.get(0));
        model.redriven(some, call("OBX-DEAD-3", "redrive", () -> of.redrive(asked)));
    }

    private void look(int client, int page) throws Exception {
        if (!operations) {
            return;
        }
        Operations of = operations(client);
        model.sawBacklog(topics, call("OBX-OPS-1", "backlog", of::backlog));
        model.sawFailing(topics, call("OBX-OPS-2", "failingPartitions", of::failingPartitions));
        for (String topic : topics) {
            List<DeadLetter> listed = new ArrayList<>();
            int most = model.dead(topic).size();
            @Nullable String after = null;
            for (int size = page; size == page && listed.size() <= most; ) {
                String from = after;
                List<DeadLetter> next = call("OBX-DEAD-2", "deadLetters", () -> of.deadLetters(topic, from, page));
                if (next.size() > page) {
                    throw new Violation("OBX-DEAD-2", "a page of " + page + " has " + next.size());
                }
                listed.addAll(next);
                size = next.size();
                after = size == 0 ? after : next.get(size - 1).message().id();
            }
            model.sawDeadLetters(topic, listed);
            progress.compared(listed.size());
        }
    }

    private static void waitUntil(long time) {
        for (long now = System.nanoTime(); time - now > 0; now = System.nanoTime()) {
            LockSupport.parkNanos(time - now);
        }
    }

    /** Its batches have lost their hold. */
    private void reopen(int client) throws Exception {
        List<Open> lost = new ArrayList<>();
        for (Map.Entry<Integer, Open> each : Map.copyOf(batches).entrySet()) {
            if (each.getValue().client() == client) {
                lost.add(each.getValue());
                batches.remove(each.getKey());
            }
        }
        call("OBX-LIFE-1", "close of a client", () -> {
            clients.reopen(client);
            return true;
        });
        for (Open each : lost) {
            model.clientClosed(each.model(), LONGEST_TAKE_OVER + clients.lease().toNanos());
            try {
                each.batch().close();
            } catch (HoldLostException e) {
                continue;
            }
            throw new Violation("OBX-FENCE-1", "a batch was closed whose client had been closed before");
        }
    }

    // --- the end

    /** Ends what is open, and publishes until nothing is left. */
    void finish(int limit) throws Exception {
        for (int each : List.copyOf(transactions.keySet())) {
            end(each, false);
        }
        for (int each : List.copyOf(batches.keySet())) {
            close(each);
        }
        if (topics.isEmpty()) {
            return;
        }
        for (int client = 1; client <= 2; client++) {
            look(client, limit);
        }
        if (!operations && !model.waiting(SHORT_MILLIS).isEmpty()) {
            return; // nobody can end their delays
        }
        for (ModelPartition each : model.waiting(SHORT_MILLIS)) {
            retryNow(1, each.topic, each.number);
        }
        long vain = System.nanoTime()
                + TimeUnit.SECONDS.toNanos(30)
                + clients.lease().toNanos();
        for (int rounds = 1; model.pending() > 0; rounds++) {
            waitUntil(model.delaysOverAt(SHORT_MILLIS));
            int most = (int) Math.min(LARGEST_LIMIT, (long) limit << Math.min(20, rounds / ROUNDS));
            Open open = checkOut(1, Set.copyOf(topics), most);
            for (PersistedMessage each : open.batch().messages()) {
                ModelMessage message = open.model().messages().get(each);
                if (message != null) {
                    open.batch().markPublished(each, null);
                    open.model().marks().put(message, new Mark(Outcome.PUBLISHED, "", 0));
                }
            }
            close(open);
            if (open.batch().messages().isEmpty()) {
                if (System.nanoTime() - vain > 0) {
                    throw Violation.missing("OBX-TX-3", model.pending() + " messages did not come within 30 seconds");
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(3));
            }
        }
        close(checkOut(2, Set.copyOf(topics), limit));
        for (String topic : operations ? topics : Set.<String>of()) {
            List<String> dead = model.dead(topic);
            if (!dead.isEmpty()) {
                model.discarded(
                        dead, call("OBX-DEAD-4", "discard", () -> operations(1).discard(dead)));
            }
        }
        look(1, 1);
    }

    // --- calls

    private interface Call<T> {
        T get() throws Exception;
    }

    /** Nothing may be thrown; but what is, may have its cause outside of the store. */
    private <T> T call(String rule, String what, Call<T> call) throws Exception {
        long called = System.nanoTime();
        progress.begins(rule);
        try {
            return call.get();
        } catch (Violation | Unproven e) {
            throw e;
        } catch (HoldLostException e) {
            throw lostHold(e);
        } catch (Exception e) {
            // A call that takes so long may find that its lease is over.
            if (e instanceof OutboxException && !isWithinLease(called)) {
                throw Unproven.surroundings(what + " took long and threw " + e);
            }
            throw Unproven.failed(rule, what + " threw " + e, e);
        } finally {
            progress.begins("");
        }
    }

    /** In so short a time no lease runs out. */
    private boolean isWithinLease(long since) {
        long lease = clients.lease().toNanos();
        return lease == 0 || System.nanoTime() - since < lease / 2;
    }

    private Unproven lostHold(OutboxException e) {
        return isWithinLease(started)
                ? Unproven.failed("OBX-FENCE-4", "a hold was lost: " + e, e)
                : Unproven.surroundings("a hold was lost: " + e);
    }
}
