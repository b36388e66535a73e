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

    private static final int LONGEST_REASON = 1_000;

    /** Of a move that the store refused. */
    private static final int REFUSED = -1;

    private static final Set<Step.Kind> OF_ONE_WRITER = Set.of(
            Step.Kind.MEANWHILE,
            Step.Kind.WRITE,
            Step.Kind.WRITE_TOGETHER,
            Step.Kind.SAVEPOINT,
            Step.Kind.ROLL_BACK_TO_SAVEPOINT,
            Step.Kind.COMMIT,
            Step.Kind.ROLL_BACK,
            Step.Kind.REST,
            Step.Kind.FINISH);

    private static final Set<Step.Kind> WRITES = Set.of(Step.Kind.WRITE, Step.Kind.WRITE_TOGETHER);

    /** Whatever may lock partitions while a checkout looks at them. */
    private static final Set<Step.Kind> IN_THE_WAY =
            Set.of(Step.Kind.CHECK_OUT, Step.Kind.CLOSE, Step.Kind.REDRIVE, Step.Kind.REDRIVE_BACKWARDS);

    private final Clients clients;
    private final String name;
    private final Model model;
    private final boolean exclusive;
    private final boolean operations;

    /** Whether several transactions with messages may be open, and a checkout be made next to one. */
    private final boolean manyWriters;

    private final Set<String> topics = new LinkedHashSet<>();
    private final Map<Integer, Written> transactions = new TreeMap<>();
    private final Map<Integer, Open> batches = new TreeMap<>();
    private final Map<Integer, MessageBatch> closed = new TreeMap<>();
    private final Progress progress;
    private final long started;
    private final Map<Integer, Saved> savepoints = new TreeMap<>();

    /** Steps that are to be run at the same time, or null. */
    private @Nullable List<Step> together;

    /** Whether two calls are made at the same time, on which one watch is kept. */
    private volatile boolean watched;

    /** What was committed while a checkout was made that is not judged yet. */
    private List<OutgoingMessage> committedBeside = List.of();

    /** The other of two redrives. */
    private @Nullable Redriven redrivenBeside;

    /** One that a batch had lately. */
    private @Nullable PersistedMessage latest;

    private int written;
    private int serial;
    private int texts;

    /** What a play tells its watcher. */
    interface Progress {
        /** A call begins, of which the rule says that it returns. */
        void begins(String rule);

        /** That many messages were compared with the model. */
        void compared(int messages);
    }

    private record Written(Target.Transaction transaction, Object group, List<OutgoingMessage> messages) {}

    private record Redriven(List<String> ids, int said) {}

    private record Saved(Target.Undo undo, int messages) {}

    private record Open(int client, MessageBatch batch, ModelBatch model) {}

    /** A step of which the call and the verdict are apart, so that two calls can be made at the same time. */
    interface Act {
        /** Asks the store. */
        void call() throws Exception;

        /**
         * Tells the model.
         *
         * @param company the step that was run at the same time, or null
         */
        void tell(@Nullable Step company) throws Exception;
    }

    Play(Clients clients, String name, Progress progress) throws Exception {
        started = System.nanoTime();
        this.clients = clients;
        this.name = name;
        this.progress = progress;
        Store store = call("OBX-LIFE-2", "opening a client", () -> clients.get(1));
        this.exclusive = store.capabilities().has(Capability.PARTITION_EXCLUSIVITY);
        this.model = new Model(exclusive);
        this.operations = store.capabilities().has(Capability.OPERATIONS);
        this.manyWriters = store.capabilities().has(Capability.CONCURRENT_TRANSACTIONS);
    }

    /** Ends whatever is open, without a look at what comes of it. */
    void abandon() {
        transactions.values().forEach(each -> Clients.closeQuietly(each.transaction()));
        batches.values().forEach(each -> Clients.closeQuietly(each.batch()));
    }

    // --- steps

    void run(Step step) throws Exception {
        if (together != null && step.kind() != Step.Kind.FINISH) {
            together.add(step);
            if (together.size() == 2) {
                List<Step> both = together;
                together = null;
                runTogether(both.get(0), both.get(1));
            }
            return;
        }
        runAlone(step);
    }

    private void runAlone(Step step) throws Exception {
        if (!manyWriters && !transactions.isEmpty() && !OF_ONE_WRITER.contains(step.kind())) {
            return; // it may wait for the transaction
        }
        switch (step.kind()) {
            case MEANWHILE -> together = new ArrayList<>();
            case SAVEPOINT -> savepoint(step.at(0));
            case ROLL_BACK_TO_SAVEPOINT -> rollBackToSavepoint(step.at(0));
            case RETRY_TOPIC_NOW -> retryNow(step.at(0), topic(step.at(1)));
            case REMOVE_PENDING -> take(step, null);
            case MOVE_PENDING -> take(step, topic(step.at(2)));
            case REDRIVE_ACROSS, DISCARD_ACROSS -> perform(across(step));
            case BEGIN -> begin(step.at(0));
            case WRITE, WRITE_TOGETHER, COMMIT, ROLL_BACK, CHECK_OUT, CLOSE -> perform(act(step));
            case PUBLISH, FAIL, BURY -> mark(step, some(step));
            case PUBLISH_HEADS, FAIL_HEADS, BURY_HEADS -> mark(step, heads(step));
            case CLOSE_AGAIN -> closeAgain(closed.get(step.at(0)));
            case MISUSE -> misuse(step.at(0));
            case RETRY_NOW -> retryNow(step.at(0), topic(step.at(1)), step.at(2));
            case REDRIVE, REDRIVE_BACKWARDS, DISCARD -> perform(bringBack(step));
            case LOOK -> look(step.at(0), step.at(1));
            case AWAIT_DELAYS -> waitUntil(model.delaysOverAt(SHORT_MILLIS));
            case REST -> waitUntil(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(step.at(0)));
            case REOPEN -> reopen(step.at(0));
            case FINISH -> finish(step.at(0));
        }
    }

    /** A step that may be run at the same time as another, or null if it has nothing to do. */
    private @Nullable Act act(Step step) {
        return switch (step.kind()) {
            case WRITE -> write(step, false);
            case WRITE_TOGETHER -> write(step, true);
            case COMMIT -> end(step.at(0), true);
            case ROLL_BACK -> end(step.at(0), false);
            case CHECK_OUT -> checkOut(step);
            case CLOSE -> close(step.at(0));
            case REDRIVE, REDRIVE_BACKWARDS -> bringBack(step);
            default -> null;
        };
    }

    private static void perform(@Nullable Act act) throws Exception {
        if (act != null) {
            act.call();
            act.tell(null);
        }
    }

    /** In the order in which the model is told, so that it takes nothing for earlier that may have been later. */
    private static final List<Step.Kind> BESIDE_OTHERS = List.of(
            Step.Kind.WRITE,
            Step.Kind.WRITE_TOGETHER,
            Step.Kind.REDRIVE,
            Step.Kind.REDRIVE_BACKWARDS,
            Step.Kind.COMMIT,
            Step.Kind.ROLL_BACK,
            Step.Kind.CLOSE,
            Step.Kind.CHECK_OUT);

    private static final Set<Step.Kind> OF_BATCHES = Set.of(Step.Kind.CLOSE, Step.Kind.CHECK_OUT);
    private static final Set<Step.Kind> OF_DEAD_LETTERS = Set.of(Step.Kind.REDRIVE, Step.Kind.REDRIVE_BACKWARDS);

    private void runTogether(Step one, Step other) throws Exception {
        int place = BESIDE_OTHERS.indexOf(one.kind());
        int otherPlace = BESIDE_OTHERS.indexOf(other.kind());
        if (place > otherPlace) {
            runTogether(other, one);
            return;
        }
        boolean independent = place >= 0
                && (manyWriters || transactions.isEmpty())
                && !(isOfTransaction(one) && isOfTransaction(other) && one.at(0) == other.at(0))
                // Without exclusivity, messages of a partition that were in two batches may come in any order.
                && (exclusive || !OF_BATCHES.contains(one.kind()) || !OF_BATCHES.contains(other.kind()));
        Act first = independent ? act(one) : null;
        Act second = first == null ? null : act(other);
        if (first == null || second == null) {
            perform(first);
            if (first == null) {
                runAlone(one);
            }
            runAlone(other);
            return;
        }
        progress.begins(ruleOfBoth(one, other));
        watched = true;
        try {
            Together.call(first, second);
        } finally {
            watched = false;
            progress.begins("");
        }
        model.tick();
        first.tell(other);
        second.tell(one);
        committedBeside = List.of(); // a later checkout is alone
    }

    /** The rule that says that both return. */
    private static String ruleOfBoth(Step one, Step other) {
        if (one.kind() == Step.Kind.CHECK_OUT || other.kind() == Step.Kind.CHECK_OUT) {
            return "OBX-EXCL-2";
        }
        if (isOfTransaction(one)) {
            return isOfTransaction(other) ? "OBX-TX-7" : "OBX-TX-5";
        }
        return OF_DEAD_LETTERS.contains(one.kind()) ? "OBX-DEAD-3" : "OBX-CLOSE-1";
    }

    private static boolean isOfTransaction(Step step) {
        return WRITES.contains(step.kind()) || step.kind() == Step.Kind.COMMIT || step.kind() == Step.Kind.ROLL_BACK;
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

    private void savepoint(int number) throws Exception {
        Written in = transactions.get(number);
        if (in != null) {
            call("OBX-TX-5", "savepoint", in.transaction()::savepoint)
                    .ifPresent(undo ->
                            savepoints.put(number, new Saved(undo, in.messages().size())));
        }
    }

    private void rollBackToSavepoint(int number) throws Exception {
        Saved saved = savepoints.remove(number);
        Written in = transactions.get(number);
        if (saved == null || in == null) {
            return;
        }
        call("OBX-TX-5", "rollback to a savepoint", () -> {
            saved.undo().run();
            return true;
        });
        List<OutgoingMessage> undone =
                in.messages().subList(saved.messages(), in.messages().size());
        model.rolledBack(undone);
        undone.clear();
    }

    private @Nullable Act write(Step step, boolean together) {
        Written into = transactions.get(step.at(0));
        if (into == null) {
            return null;
        }
        List<OutgoingMessage> messages = new ArrayList<>();
        for (int i = 0; i < step.at(4); i++) {
            for (int p = 0; p < step.at(3); p++) {
                messages.add(message(topic(step.at(1)), step.at(2) + p, step.at(5)));
            }
        }
        List<String> ids = new ArrayList<>();
        return new Act() {
            @Override
            public void call() throws Exception {
                Play.this.call("OBX-TX-5", "persist", () -> {
                    if (together) {
                        ids.addAll(into.transaction().persistFunc().persistAll(messages));
                    } else {
                        for (OutgoingMessage each : messages) {
                            ids.add(into.transaction().persistFunc().persist(each));
                        }
                    }
                    return ids;
                });
            }

            @Override
            public void tell(@Nullable Step company) {
                if (!ids.equals(messages.stream().map(OutgoingMessage::id).toList())) {
                    throw new Violation("OBX-ID-1", "persist returned other ids than those of the messages");
                }
                boolean alone = company == null || !WRITES.contains(company.kind());
                for (OutgoingMessage each : messages) {
                    model.wrote(into.group(), each, serial++, alone);
                    into.messages().add(each);
                }
            }
        };
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

    private @Nullable Act end(int number, boolean commit) {
        Written ended = transactions.remove(number);
        savepoints.remove(number);
        return ended == null
                ? null
                : new Act() {
                    @Override
                    @SuppressWarnings("try") // what the handle throws at close may be an InterruptedException
                    public void call() throws Exception {
                        try (Target.Transaction transaction = ended.transaction()) {
                            Play.this.call("OBX-TX-5", commit ? "commit" : "rollback", () -> {
                                if (commit) {
                                    transaction.commit();
                                } else {
                                    transaction.rollback();
                                }
                                return true;
                            });
                        }
                    }

                    @Override
                    public void tell(@Nullable Step company) {
                        if (commit) {
                            model.committed(ended.messages());
                            committedBeside = company == null ? List.of() : ended.messages();
                        } else {
                            model.rolledBack(ended.messages());
                        }
                    }
                };
    }

    private @Nullable Act checkOut(Step step) {
        int number = step.at(1);
        if (batches.containsKey(number)) {
            return null;
        }
        Set<String> asked = new HashSet<>();
        for (int i = 0; i < step.at(3); i++) {
            asked.add(topic(step.at(2) + i));
        }
        CheckOut made = new CheckOut(step.at(0), asked, step.at(4));
        return new Act() {
            @Override
            public void call() throws Exception {
                made.call();
            }

            @Override
            public void tell(@Nullable Step company) throws Exception {
                boolean alone = company == null || !IN_THE_WAY.contains(company.kind());
                Open open = made.judge(alone);
                model.noteLate(committedBeside);
                committedBeside = List.of();
                if (open.batch().messages().isEmpty()) {
                    if (latest != null) {
                        requireMisuse(open.batch(), latest);
                    }
                    close(open);
                } else if (batches.containsKey(number)) {
                    close(open); // both were to have the same number
                } else {
                    batches.put(number, open);
                }
            }
        };
    }

    private Open checkOut(int client, Set<String> asked, int limit) throws Exception {
        CheckOut made = new CheckOut(client, asked, limit);
        made.call();
        return made.judge(true);
    }

    /** A checkout that was made, and is not judged yet. */
    private final class CheckOut {
        private final int client;
        private final Set<String> asked;
        private final int limit;
        private long called;
        private long returned;
        private @Nullable MessageBatch batch;

        CheckOut(int client, Set<String> asked, int limit) {
            this.client = client;
            this.asked = asked;
            this.limit = limit;
        }

        void call() throws Exception {
            Store store = Play.this.call("OBX-LIFE-2", "opening a client", () -> clients.get(client));
            called = System.nanoTime();
            batch = Play.this.call("OBX-LIMIT-2", "checkout", () -> store.checkout(asked, limit));
            returned = System.nanoTime();
        }

        Open judge(boolean alone) throws Exception {
            return Play.this.judge(client, asked, limit, batch, alone, called, returned);
        }
    }

    private Open judge(
            int client,
            Set<String> asked,
            int limit,
            @Nullable MessageBatch batch,
            boolean alone,
            long called,
            long returned)
            throws Exception {
        if (batch == null) {
            throw new Violation("OBX-CLOSE-5", "checkout returned null");
        }
        progress.compared(batch.messages().size());
        latest = batch.messages().isEmpty() ? latest : batch.messages().get(0);
        try {
            ModelBatch model =
                    this.model.checkedOut("client " + client, asked, limit, batch.messages(), alone, called, returned);
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
        int marked = 0;
        for (PersistedMessage each : some) {
            ModelMessage message = open.model().messages().get(each);
            if (message == null || open.model().marks().containsKey(message)) {
                continue;
            }
            String reason = "reason " + ++texts
                    + (texts % 16 == 0 ? "\0\ud83d" : texts % 16 == 8 ? "!".repeat(LONGEST_REASON - 20) : "");
            long delay = marked++ % 2 == 0 && step.kind().isFailure() ? step.delayMillis() : 0;
            Mark mark = switch (step.kind()) {
                case PUBLISH, PUBLISH_HEADS -> new Mark(Outcome.PUBLISHED, reason, 0);
                case FAIL, FAIL_HEADS -> new Mark(Outcome.FAILED, reason, delay);
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

    private @Nullable Act close(int number) {
        Open open = batches.remove(number);
        if (open == null) {
            return null;
        }
        closed.put(number, open.batch());
        return closing(open);
    }

    private void close(Open open) throws Exception {
        perform(closing(open));
    }

    private Act closing(Open open) {
        List<PersistedMessage> before = List.copyOf(open.batch().messages());
        return new Act() {
            private long called;
            private long returned;

            @Override
            public void call() throws Exception {
                called = System.nanoTime();
                Play.this.call("OBX-CLOSE-1", "close", () -> {
                    open.batch().close();
                    return true;
                });
                returned = System.nanoTime();
            }

            @Override
            public void tell(@Nullable Step company) {
                model.closed(open.model(), called, returned);
                checkClosed(open, before);
            }
        };
    }

    private static void checkClosed(Open open, List<PersistedMessage> before) {
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
        requireRefusal("OBX-INPUT-2", "a checkout with a limit of 0", () -> {
            clients.get(1).checkout(Set.copyOf(topics), 0).close();
        });
        open.model().messages().entrySet().stream()
                .filter(each -> !open.model().marks().containsKey(each.getValue()))
                .findFirst()
                .ifPresent(each -> requireRefusal("OBX-INPUT-3", "a delay below 0", () -> {
                    open.batch().markFailed(each.getKey(), "too early", Duration.ofMillis(-1));
                }));
        perform(close(number));
        open.model().messages().keySet().stream().findFirst().ifPresent(each -> requireMisuse(open.batch(), each));
        closeAgain(open.batch());
    }

    private interface Mistake {
        void make() throws Exception;
    }

    private static void requireRefusal(String rule, String what, Mistake mistake) {
        try {
            mistake.make();
        } catch (MisuseException e) {
            return;
        } catch (Exception e) {
            throw new Violation(rule, what + " threw " + e);
        }
        throw new Violation(rule, what + " was accepted");
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

    private void retryNow(int client, String topic) throws Exception {
        if (operations) {
            Operations of = operations(client);
            long called = System.nanoTime();
            int said = call("OBX-OPS-3", "retryNow of a topic", () -> of.retryNow(topic));
            model.retriedNow(topic, said, called, System.nanoTime());
        }
    }

    /** Removes messages, or moves them, and finds out which they were. */
    private void take(Step step, @Nullable String to) throws Exception {
        String topic = topic(step.at(1));
        if (!operations || topic.equals(to) || !exclusive) {
            return;
        }
        String rule = to == null ? "OBX-OPS-5" : "OBX-OPS-6";
        Operations of = operations(step.at(0));
        Model.Destination destination = to == null ? null : new Model.Destination(to, step.at(3));
        int limit = step.at(to == null ? 2 : 4);
        long vain = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        waitUntil(model.freeForAll(topic));
        int sum = 0;
        while (true) {
            int most = limit;
            long called = System.nanoTime();
            Integer said = call(rule, to == null ? "removePending" : "movePending", () -> {
                try {
                    return destination == null
                            ? of.removePending(topic, most)
                            : of.movePending(topic, destination.topic(), destination.partitions(), most);
                } catch (MisuseException e) {
                    if (destination == null) {
                        throw e;
                    }
                    return REFUSED;
                }
            });
            long returned = System.nanoTime();
            List<Operations.Backlog> after = call("OBX-OPS-1", "backlog", of::backlog);
            boolean refused = said == REFUSED;
            sum += refused ? 0 : said;
            boolean isFull = refused || said == most;
            if (said > most) {
                throw new Violation(rule, said + " messages went from " + topic + ", and at most " + most + " may");
            }
            if (model.taken(topic, destination, isFull, refused ? null : sum, after, called, returned)) {
                return;
            }
            if (refused || System.nanoTime() - vain > 0) {
                throw Unproven.surroundings("it is not known which messages of " + topic + " went");
            }
            limit = LARGEST_LIMIT;
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    private @Nullable Act bringBack(Step step) {
        List<String> dead = model.dead(topic(step.at(1)));
        int from = Math.min(dead.size(), step.at(2));
        List<String> some = new ArrayList<>(dead.subList(from, (int) Math.min(dead.size(), from + (long) step.at(3))));
        if (step.kind() == Step.Kind.REDRIVE_BACKWARDS) {
            Collections.reverse(some);
        }
        return bringBack(step.at(0), some, step.kind() == Step.Kind.DISCARD);
    }

    /** One of each topic in turn. */
    private @Nullable Act across(Step step) {
        List<String> some = new ArrayList<>();
        for (int place = 0, last = -1; some.size() < step.at(3) && last < some.size(); place++) {
            last = some.size();
            for (int i = 0; i < step.at(2); i++) {
                List<String> dead = model.dead(topic(step.at(1) + i));
                if (place < dead.size() && some.size() < step.at(3)) {
                    some.add(dead.get(place));
                }
            }
        }
        return bringBack(step.at(0), some, step.kind() == Step.Kind.DISCARD_ACROSS);
    }

    /** Two redrives at the same time bring each dead letter back once, in any order. */
    private void redriven(List<String> some, int said, @Nullable Step company) {
        if (company == null || !OF_DEAD_LETTERS.contains(company.kind())) {
            model.redriven(some, said, true);
        } else if (redrivenBeside == null) {
            redrivenBeside = new Redriven(some, said);
        } else {
            Set<String> all = new LinkedHashSet<>(redrivenBeside.ids());
            all.addAll(some);
            model.redriven(List.copyOf(all), redrivenBeside.said() + said, false);
            redrivenBeside = null;
        }
    }

    private @Nullable Act bringBack(int client, List<String> some, boolean discard) {
        if (!operations || some.isEmpty()) {
            return null;
        }
        List<String> asked = new ArrayList<>(some);
        asked.add(some.size() / 2, "no such id");
        asked.add(some.get(0));
        return new Act() {
            private int said;

            @Override
            public void call() throws Exception {
                Operations of = operations(client);
                said = discard
                        ? Play.this.call("OBX-DEAD-4", "discard", () -> of.discard(asked))
                        : Play.this.call("OBX-DEAD-3", "redrive", () -> of.redrive(asked));
            }

            @Override
            public void tell(@Nullable Step company) {
                if (discard) {
                    model.discarded(some, said);
                } else {
                    redriven(some, said, company);
                }
            }
        };
    }

    private void look(int client, int page) throws Exception {
        if (!operations) {
            return;
        }
        Operations of = operations(client);
        model.sawBacklog(topics, call("OBX-OPS-1", "backlog", of::backlog));
        model.sawFailing(topics, call("OBX-OPS-2", "failingPartitions", of::failingPartitions));
        Map<String, List<DeadLetter>> letters = new LinkedHashMap<>();
        for (String topic : topics) {
            List<DeadLetter> listed = new ArrayList<>();
            letters.put(topic, listed);
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
            if (!listed.isEmpty()) {
                DeadLetter one = listed.get(listed.size() / 2);
                String id = one.message().id();
                model.sawDeadLetter(one, call("OBX-DEAD-2", "deadLetter", () -> of.deadLetter(id)));
            }
        }
        if (call("OBX-DEAD-2", "deadLetter", () -> of.deadLetter("no such id")).isPresent()) {
            throw new Violation("OBX-DEAD-2", "a dead letter was found by a text that is no id");
        }
        model.sawDeadLetterTopics(letters, call("OBX-OPS-4", "deadLetterTopics", of::deadLetterTopics));
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
        Store left = call("OBX-LIFE-1", "close of a client", () -> clients.reopen(client));
        requireRefusal(
                "OBX-LIFE-4",
                "a checkout after close",
                () -> left.checkout(Set.of(name), 1).close());
        if (operations) {
            requireRefusal(
                    "OBX-LIFE-4",
                    "an operation after close",
                    () -> Operations.of(left).backlog());
            requireRefusal(
                    "OBX-LIFE-4",
                    "removePending after close",
                    () -> Operations.of(left).removePending(name, 1));
        }
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
        List<Step> left = together == null ? List.of() : together;
        together = null;
        for (Step each : left) {
            runAlone(each);
        }
        for (int each : List.copyOf(transactions.keySet())) {
            perform(end(each, false));
        }
        for (int each : List.copyOf(batches.keySet())) {
            perform(close(each));
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
        if (!watched) {
            progress.begins(rule);
        }
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
            if (!watched) {
                progress.begins("");
            }
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
