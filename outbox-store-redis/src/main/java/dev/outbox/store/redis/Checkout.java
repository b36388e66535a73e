package dev.outbox.store.redis;

import dev.outbox.store.support.LeaseClock;
import dev.outbox.store.support.PartitionRotation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.exceptions.JedisConnectionException;

/**
 * Checkouts of some topics from one key space: finds partitions, takes some, reads their messages. Taking and reading
 * go out together, the one before the other, and what was read of a partition that could not be taken is thrown away.
 *
 * <p>They are no transaction, because a server whose memory is full queues none, not even one that reads. None is
 * needed: what is read after taking belongs to the batch. If the lease runs out between the two, the batch is as late
 * as one whose lease runs out later, and closing it fails. If closing it succeeds, nobody else has had the partition
 * since it was taken.
 */
final class Checkout {
    /** More than this are renewed at every beat, for a batch that is hardly ever this large. */
    static final int MOST_PARTITIONS = 200;

    /**
     * A checkout in company begins with as many as the square root of all, which leaves work to others and still takes
     * few batches for many partitions (decision 8). Of two, one is for others.
     */
    private static final PartitionRotation.Pace PACE = new PartitionRotation.Pace(
            Duration.ofMillis(100),
            10,
            MOST_PARTITIONS,
            all -> Math.min((int) Math.ceil(Math.sqrt(all)), Math.max(1, all - 1)));

    /** Of a look for partitions, and of one script that takes some. */
    private static final int MOST_FOUND = 1_000;

    /** A lease older than this part of it is not passed on: {@link LeaseRenewer} is to have time to renew it. */
    private static final int PASSED_ON = 8;

    private static final byte[] LAST = {'+'};
    private static final byte[] COUNT = KeySpace.bytes("COUNT");

    private final RetryingClient client;
    private final KeySpace keySpace;
    private final Set<String> topics;
    private final Duration lease;
    private final byte[] leaseMillis;
    private final Aside aside;
    final PartitionRotation<Partition> rotation = new PartitionRotation<>(PACE);

    /** Where the next discovery begins, if there are more than one finds. */
    private volatile String cursor = Double.toString(ThreadLocalRandom.current().nextDouble());

    private final Portions portions = new Portions();

    Checkout(RetryingClient client, KeySpace keySpace, Set<String> topics, Duration lease, Aside aside) {
        this.client = client;
        this.keySpace = keySpace;
        this.topics = topics;
        this.lease = lease;
        this.leaseMillis = KeySpace.bytes(Long.toString(lease.toMillis()));
        this.aside = aside;
    }

    /** Notes that another batch is open, of the same relay or of another one. */
    void noteCompany() {
        rotation.noteCompany();
    }

    /**
     * What the batch holds, or null if no messages were found. Every message that was committed before the call, in a
     * partition that is free and ready, is in it if there is room (OBX-TX-3): what is known from earlier comes first,
     * but before a batch is left with room, there is a new discovery.
     *
     * @param onFailure given what was taken until then, to release it
     */
    @Nullable
    Hold run(int limit, Consumer<Hold> onFailure) {
        Hold hold = new Hold(keySpace);
        try {
            boolean fresh = rotation.isDiscoveryDue(System.nanoTime());
            Set<Partition> tried = new HashSet<>();
            fill(hold, limit, tried, fresh ? discover(hold, tried) : List.of());
            if (!fresh && hasRoom(hold, limit)) {
                fill(hold, limit, tried, discover(hold, tried));
            }
        } catch (RuntimeException | Error e) {
            onFailure.accept(hold);
            throw e;
        }
        return hold.partitions.isEmpty() ? null : hold;
    }

    private static boolean hasRoom(Hold hold, int limit) {
        return hold.messages() < limit && hold.partitions.size() < MOST_PARTITIONS && hold.bytes() < Portions.BYTES;
    }

    /**
     * Looks for partitions that are ready, and returns those.
     *
     * @param tried the partitions that this checkout has tried already, which may not be ready because of that
     */
    private List<Partition> discover(Hold hold, Set<Partition> tried) {
        long started = System.nanoTime();
        List<byte[]> arguments = new ArrayList<>(topics.size() + 4);
        arguments.add(KeySpace.bytes(Integer.toString(MOST_FOUND)));
        arguments.add(KeySpace.bytes(cursor));
        arguments.add(leaseMillis);
        arguments.add(KeySpace.bytes(hold.partitions.isEmpty() ? "1" : "0")); // who has something need not knock
        topics.forEach(topic -> arguments.add(KeySpace.bytes(topic)));
        List<Object> reply = Reply.list(
                client.call(keySpace, Script.FIND_READY.call(List.of(keySpace.ready(), keySpace.knocks()), arguments)));
        if (Reply.number(reply.get(0)) > hold.partitions.size()) { // its own are among those that are held
            rotation.noteCompany();
        }
        List<Partition> found = new ArrayList<>(reply.size() - 3);
        for (Object member : reply.subList(3, reply.size())) {
            Partition partition = Partition.parse(Reply.text(member));
            if (partition == null) {
                aside.noteMember(Reply.text(member));
            } else if (!aside.has(partition)) {
                found.add(partition);
            }
        }
        if (Reply.number(reply.get(2)) == 1) {
            rotation.retain(found, tried);
        }
        cursor = Reply.text(reply.get(1));
        rotation.add(found, started, System.nanoTime());
        return found;
    }

    /**
     * Takes some of the partitions and shares the limit out among them. If they have less, it reads on in those that
     * had more than their share, and then tries twice as many more. So it asks the server no more often than the
     * logarithm of their number says, however many of them are no longer ready.
     *
     * @param found what was just found: it is tried even if another thread, whose server answered earlier, has made the
     *     rotation forget it meanwhile
     */
    private void fill(Hold hold, int limit, Set<Partition> tried, List<Partition> found) {
        Set<Partition> known = new LinkedHashSet<>(rotation.nextTurn(limit));
        known.addAll(found);
        List<Partition> inTurn = new ArrayList<>(known);
        int wanted = Math.max(1, rotation.firstTake(inTurn.size(), limit));
        inTurn.removeAll(tried);
        int next = 0;
        while (next < inTurn.size() && hasRoom(hold, limit)) {
            int count = Math.min(wanted, inTurn.size() - next);
            List<Partition> some = inTurn.subList(next, next + count);
            next += count;
            tried.addAll(some);
            take(hold, some, limit);
            readOn(hold, limit);
            releaseEmpty(hold);
            wanted = Math.min(2 * wanted, MOST_FOUND);
        }
    }

    /**
     * Takes as many of the partitions as the batch has places for, and reads in each its share, if it can be foreseen
     * that this is not too much; else that is left to {@link #readOn}.
     */
    private void take(Hold hold, List<Partition> some, int limit) {
        int places = Math.min(limit - hold.messages(), MOST_PARTITIONS - hold.partitions.size());
        int room = Math.min(limit - hold.messages(), portions.of(some, Portions.BYTES - hold.bytes()));
        if (some.size() > Math.min(places, room)) {
            take(hold, some, places, new int[0]);
            return;
        }
        try {
            take(hold, some, places, shares(room, some.size()));
        } catch (JedisConnectionException e) {
            requireAnswer(e, room);
            take(
                    hold,
                    some,
                    places,
                    new int[0]); // which finds what it has taken already; then readOn asks for as many again
        } catch (OutOfMemoryError e) {
            portions.halve(room);
            throw e; // the relay must know; next time it is less
        }
    }

    /** @param shares what to read of each; nothing if nothing is to be read */
    private void take(Hold hold, List<Partition> some, int places, int[] shares) {
        boolean reads = shares.length > 0;
        List<byte[]> keys = new ArrayList<>(1 + 3 * some.size());
        List<byte[]> arguments = new ArrayList<>(3 + some.size());
        keys.add(keySpace.ready());
        arguments.addAll(List.of(hold.token, leaseMillis, KeySpace.bytes(Integer.toString(places))));
        List<Command> commands = new ArrayList<>();
        for (int i = 0; i < some.size(); i++) {
            KeySpace.Keys of = keySpace.keys(some.get(i));
            keys.addAll(List.of(of.messages(), of.state(), of.attempts()));
            arguments.add(of.member());
            if (reads) {
                commands.add(read(of.messages(), "-", shares[i]));
            }
        }
        commands.add(0, Script.TAKE.call(keys, arguments));
        hold.asked.addAll(some);
        List<Object> replies = client.all(keySpace, commands);
        List<Object> answers = Reply.list(replies.get(0));
        List<Partition> taken = new ArrayList<>();
        Portions.Answer weighed = portions.new Answer();
        for (int i = 0; i < some.size(); i++) {
            Partition partition = some.get(i);
            if (answers.get(i) instanceof List<?>) {
                HeldPartition held = HeldPartition.of(partition, keySpace.keys(partition), Reply.list(answers.get(i)));
                hold.partitions.add(held);
                taken.add(partition);
                if (reads) {
                    held.share = shares[i];
                    add(held, replies.get(1 + i), weighed);
                }
            } else if (answers.get(i) instanceof Long why) {
                if (why < 3) { // else it was not asked for
                    rotation.remove(partition);
                }
                if (why == 1) {
                    rotation.noteCompany();
                }
            } else {
                rotation.remove(partition);
                aside.add(partition, Aside.ofKeys(Reply.text(answers.get(i))));
            }
        }
        weighed.end();
        rotation.noteTurn(taken);
    }

    private static void add(HeldPartition held, Object read, Portions.Answer weighed) {
        int before = held.entries.size();
        held.add(Reply.list(read));
        weighed.add(held.partition, held.entries, before);
    }

    /**
     * What was asked for did not come. If the server is there nevertheless, it may have been too much; as long as it is
     * away, nothing is learnt.
     *
     * @throws JedisConnectionException if it is not there, or one message alone was asked for
     */
    private void requireAnswer(JedisConnectionException failure, int asked) {
        if (asked == 1) {
            throw failure;
        }
        Reply.check(client.call(keySpace, Command.of(Protocol.Command.ZCARD, keySpace.ready())));
    }

    /**
     * A checkout that goes out with the close of the batch before it, and keeps its partitions. Nobody else has them in
     * between, so nothing in them fails meanwhile.
     */
    static final class Next {
        /** What it holds, once that is answered. */
        final Hold hold;

        private final List<HeldPartition> before;
        private final List<Command> commands;
        private final int[] shares;

        private Next(Hold before, LeaseClock renewed, int limit, byte[] leaseMillis) {
            this.hold = before.next(renewed);
            this.before = before.partitions;
            this.shares = shares(limit, this.before.size());
            this.commands = new ArrayList<>(1 + this.before.size());
            commands.add(BatchCloser.next(before, leaseMillis));
            for (int i = 0; i < shares.length; i++) {
                commands.add(read(this.before.get(i).keys.messages(), "-", shares[i]));
            }
        }

        /** The close of the batch before it, and what reads. */
        List<Command> commands() {
            return commands;
        }

        /**
         * Takes over the answers to what reads; what it holds then is to be completed or released.
         *
         * @param replies none if they were lost
         */
        void answered(List<Object> replies, Portions portions) {
            for (int i = 0; i < shares.length; i++) {
                HeldPartition old = before.get(i);
                hold.partitions.add(new HeldPartition(old.partition, old.keys, old.fence, 0, List.of()));
            }
            Portions.Answer weighed = portions.new Answer();
            for (int i = 0; i < shares.length; i++) {
                HeldPartition held = hold.partitions.get(i);
                held.share = shares[i];
                if (!replies.isEmpty()) {
                    add(held, replies.get(i), weighed);
                }
            }
            weighed.end();
        }
    }

    /** Takes over what came with the close of a batch. */
    void answered(Next next, List<Object> replies) {
        next.answered(replies, portions);
    }

    /**
     * The checkout that will most likely come next, if it will be of the partitions of this batch; else null.
     *
     * @param renewed when the lease of the batch was asked for
     */
    @Nullable
    Next next(Hold before, LeaseClock renewed, int limit) {
        if (before.isLast
                || !renewed.isWithin(lease.dividedBy(PASSED_ON))
                || !rotation.isAlone()
                || rotation.isDiscoveryDue(System.nanoTime())
                || !rotation.areAll(before.taken(), limit)
                || portions.of(before.taken(), Portions.BYTES) < limit
                || !before.partitions.stream().allMatch(held -> held.isSound() && !held.entries.isEmpty())) {
            return null;
        }
        return new Next(before, renewed, limit, leaseMillis);
    }

    /**
     * Begins to read the messages after a batch that has the partitions of the last one, if it will most likely pass
     * them on too.
     *
     * @param nanos how long the batch is expected to take
     */
    void readAhead(Hold hold, int limit, long nanos) {
        if (hold.messages() < limit
                || hold.bytes() > ReadAhead.MOST_BYTES
                || portions.of(hold.taken(), ReadAhead.MOST_BYTES) < limit
                || rotation.isDiscoveryDue(System.nanoTime() + nanos)) {
            return;
        }
        int[] shares = shares(limit, hold.partitions.size());
        List<Command> reads = new ArrayList<>(shares.length);
        for (int i = 0; i < shares.length; i++) {
            HeldPartition held = hold.partitions.get(i);
            reads.add(read(held.keys.messages(), held.after(), shares[i]));
        }
        hold.readAhead(client.readAhead(keySpace, reads));
    }

    /** Brings what was checked out ahead up to now: there may be more, if there was room. */
    @Nullable
    Hold complete(Hold hold, int limit, Consumer<Hold> onFailure) {
        try {
            if (hold.messages() == limit || hold.bytes() >= Portions.BYTES) {
                releaseEmpty(hold);
                return hold;
            }
            // What is released here is closed for this token, and must not be taken with it once more.
            Set<Partition> tried = new HashSet<>();
            hold.partitions.forEach(held -> tried.add(held.partition));
            count(hold);
            readOn(hold, limit);
            releaseEmpty(hold);
            if (hasRoom(hold, limit)) {
                fill(hold, limit, tried, discover(hold, tried));
            }
        } catch (RuntimeException | Error e) {
            onFailure.accept(hold);
            throw e;
        }
        return hold.partitions.isEmpty() ? null : hold;
    }

    /**
     * Those that had no place, which have the next turn; that begin with what cannot be handed out; or whose messages
     * were deleted by hand in this very moment.
     */
    private void releaseEmpty(Hold hold) {
        List<HeldPartition> empty =
                hold.partitions.stream().filter(held -> held.entries.isEmpty()).toList();
        if (!empty.isEmpty()) {
            for (HeldPartition held : empty) {
                if (held.problem != null) {
                    rotation.remove(held.partition);
                    aside.add(held.partition, held.problem);
                }
            }
            rotation.noteNoTurn(empty.stream()
                    .filter(held -> held.left > 0)
                    .map(held -> held.partition)
                    .toList());
            hold.partitions.removeAll(empty);
            hold.isLast = true;
            client.call(
                    keySpace,
                    hold.release(empty.stream().map(held -> held.partition).toList()));
        }
    }

    /** Counts the messages after those that were read ahead. */
    private void count(Hold hold) {
        forEachRenewed(
                hold,
                List.copyOf(hold.partitions),
                held -> Command.of(Protocol.Command.XLEN, held.keys.messages()),
                (held, length) -> held.left = Math.max(0, Reply.number(length) - held.entries.size()));
    }

    /** Fills the room that is left with the messages that follow. */
    private void readOn(Hold hold, int limit) {
        while (true) {
            List<HeldPartition> more =
                    hold.partitions.stream().filter(held -> held.left > 0).toList();
            long bytes = Portions.BYTES - hold.bytes();
            int room = limit - hold.messages();
            if (more.isEmpty() || room == 0 || bytes <= 0) {
                return;
            }
            room = Math.min(
                    room, portions.of(more.stream().map(held -> held.partition).toList(), bytes));
            long before = left(more);
            int[] shares = shares(room, more, bytes);
            int asked = IntStream.of(shares).sum();
            for (int i = 0; i < shares.length; i++) {
                more.get(i).share = shares[i];
            }
            Portions.Answer weighed = portions.new Answer();
            try {
                forEachRenewed(
                        hold,
                        more.stream().filter(held -> held.share > 0).toList(),
                        held -> read(held.keys.messages(), held.after(), held.share),
                        (held, read) -> add(held, read, weighed));
            } catch (JedisConnectionException e) {
                requireAnswer(e, asked);
                portions.halve(asked);
                continue;
            } catch (OutOfMemoryError e) {
                portions.halve(asked);
                throw e; // the relay must know; next time it is less
            }
            weighed.end();
            // What was read is no longer left. Where less came than was asked for, nothing is left. And what is lost is
            // out.
            if (left(hold.partitions) >= before) {
                throw new IllegalStateException("A checkout makes no progress: " + before + " messages are left.");
            }
        }
    }

    private static long left(List<HeldPartition> partitions) {
        return partitions.stream().mapToLong(held -> held.left).sum();
    }

    /** Renews the lease first. Without that, another batch could have the partition by now. */
    private void forEachRenewed(
            Hold hold,
            List<HeldPartition> some,
            Function<HeldPartition, Command> command,
            BiConsumer<HeldPartition, Object> answer) {
        List<Command> commands = new ArrayList<>(2 * some.size());
        for (HeldPartition held : some) {
            commands.add(hold.renew(List.of(held), leaseMillis));
            commands.add(command.apply(held));
        }
        List<Object> replies = client.all(keySpace, commands);
        for (int i = 0; i < some.size(); i++) {
            if (Reply.number(replies.get(2 * i)) == 1) {
                answer.accept(some.get(i), replies.get(2 * i + 1));
            } else {
                hold.partitions.remove(some.get(i)); // it took so long that others have it
            }
        }
    }

    private static Command read(byte[] messages, String from, int count) {
        return Command.of(
                Protocol.Command.XRANGE,
                messages,
                KeySpace.bytes(from),
                LAST,
                COUNT,
                KeySpace.bytes(Integer.toString(count)));
    }

    private static int[] shares(int room, int among) {
        int[] shares = new int[among];
        for (int i = 0; i < among; i++) {
            shares[i] = room / among + (i < room % among ? 1 : 0);
        }
        return shares;
    }

    /**
     * One at a time to the one that has the fewest, counting what was read of it already, and to none more than it has;
     * until this number of bytes is reached. There is one at least.
     */
    private int[] shares(int room, List<HeldPartition> among, long bytes) {
        int[] shares = new int[among.size()];
        PriorityQueue<Integer> fewest = new PriorityQueue<>(
                Comparator.<Integer>comparingInt(i -> among.get(i).entries.size() + shares[i])
                        .thenComparing(Comparator.naturalOrder()));
        for (int i = 0; i < shares.length; i++) {
            fewest.add(i);
        }
        double foreseen = 0;
        for (int left = room; left > 0 && !fewest.isEmpty() && foreseen < bytes; left--) {
            int i = fewest.remove();
            foreseen += portions.weight(among.get(i).partition);
            shares[i]++;
            if (shares[i] < among.get(i).left) {
                fewest.add(i);
            }
        }
        return shares;
    }
}
