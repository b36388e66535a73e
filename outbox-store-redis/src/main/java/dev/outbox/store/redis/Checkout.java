package dev.outbox.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Protocol;

/**
 * Checkouts of some topics from one place: finds partitions, takes some, reads their messages. Taking and reading go out
 * together, the one before the other, and what was read of a partition that could not be taken is thrown away.
 *
 * <p>They are no transaction, because a server whose memory is full queues none, not even one that reads. None is needed:
 * whoever reads after taking reads what is his. If the lease runs out between the two, the batch is as late as one whose lease
 * runs out later, and closing it fails; if closing it succeeds, nobody else has had the partition since it was taken.
 */
final class Checkout {
    /** More than this are renewed at every beat, for a batch that is hardly ever this large. */
    static final int MOST_PARTITIONS = 200;

    /** A lease older than this part of it is not passed on: {@link Leases} is to have time to renew it. */
    private static final int PASSED_ON = 8;

    private static final byte[] MOST_FOUND = Place.bytes("1000");
    private static final byte[] LAST = {'+'};
    private static final byte[] COUNT = Place.bytes("COUNT");

    private final Link link;
    private final Place place;
    private final Set<String> topics;
    private final Duration lease;
    private final byte[] leaseMillis;
    private final Candidates candidates = new Candidates();

    Checkout(Link link, Place place, Set<String> topics, Duration lease) {
        this.link = link;
        this.place = place;
        this.topics = topics;
        this.lease = lease;
        this.leaseMillis = Place.bytes(Long.toString(lease.toMillis()));
    }

    /** Another batch is open beside the one that is to be. */
    void noteCompany() {
        candidates.noteCompany();
    }

    /**
     * What the batch holds, or null if no messages were found. Every message that was committed before the call, in a
     * partition that is free and ready, is in it if there is room (OBX-TX-3): what is known from earlier comes first, but
     * before a batch is left with room, partitions are looked for anew.
     *
     * @param onFailure given what was taken until then, to release it
     */
    @Nullable
    Hold run(int limit, Consumer<Hold> onFailure) {
        Hold hold = new Hold(place);
        try {
            boolean fresh = candidates.isDiscoveryDue(System.nanoTime());
            if (fresh) {
                discover();
            }
            Set<Partition> tried = new HashSet<>();
            fill(hold, limit, tried);
            if (!fresh && hold.messages() < limit && hold.partitions.size() < MOST_PARTITIONS) {
                discover();
                fill(hold, limit, tried);
            }
        } catch (RuntimeException | Error e) {
            onFailure.accept(hold);
            throw e;
        }
        return hold.partitions.isEmpty() ? null : hold;
    }

    private void discover() {
        long started = System.nanoTime();
        List<byte[]> arguments = new ArrayList<>(topics.size() + 3);
        arguments.add(MOST_FOUND);
        arguments.add(Place.bytes(Double.toString(ThreadLocalRandom.current().nextDouble())));
        arguments.add(leaseMillis);
        topics.forEach(topic -> arguments.add(Place.bytes(topic)));
        List<Object> reply = Reply.list(link.call(place, Script.READY.call(List.of(place.ready()), arguments)));
        if (Reply.number(reply.get(0)) > 0) {
            candidates.noteCompany();
        }
        List<Partition> found = new ArrayList<>(reply.size() - 1);
        for (Object member : reply.subList(1, reply.size())) {
            found.add(Partition.of(Reply.text(member)));
        }
        candidates.add(found, started, System.nanoTime());
    }

    /**
     * Takes some of the partitions and shares the limit out among them. If they have less, it reads on in those that had
     * more than their share, and then takes twice as many more.
     */
    private void fill(Hold hold, int limit, Set<Partition> tried) {
        List<Partition> inTurn = candidates.nextTurn(limit);
        int wanted = candidates.firstTake(inTurn.size(), limit);
        inTurn.removeAll(tried);
        int next = 0;
        int room = limit - hold.messages();
        while (room > 0 && next < inTurn.size() && hold.partitions.size() < MOST_PARTITIONS) {
            int count = Math.min(
                    Math.min(Math.max(1, wanted), room),
                    Math.min(inTurn.size() - next, MOST_PARTITIONS - hold.partitions.size()));
            List<Partition> some = inTurn.subList(next, next + count);
            next += count;
            tried.addAll(some);
            take(hold, some, room);
            readOn(hold, limit);
            room = limit - hold.messages();
            wanted *= 2;
        }
    }

    private void take(Hold hold, List<Partition> wanted, int room) {
        List<Command> commands = new ArrayList<>(2 * wanted.size());
        int[] shares = shares(room, wanted.size());
        for (int i = 0; i < wanted.size(); i++) {
            Place.Keys keys = place.keys(wanted.get(i));
            commands.add(Script.TAKE.call(
                    List.of(keys.messages(), keys.state(), keys.attempts(), place.ready()),
                    List.of(hold.token, leaseMillis, keys.member())));
            commands.add(read(keys.messages(), "-", shares[i]));
        }
        List<Object> replies = link.all(place, commands);
        List<Object> errors = new ArrayList<>();
        for (int i = 0; i < wanted.size(); i++) {
            Partition partition = wanted.get(i);
            Object taken = replies.get(2 * i);
            if (taken instanceof List<?>) {
                List<Object> parts = Reply.list(taken);
                Held held = new Held(
                        partition,
                        place.keys(partition),
                        Reply.text(parts.get(0)),
                        Reply.list(parts.get(1)),
                        shares[i]);
                hold.partitions.add(held);
                held.add(Reply.list(replies.get(2 * i + 1)));
            } else if (taken instanceof Long why) {
                candidates.remove(partition);
                if (why == 1) {
                    candidates.noteCompany();
                }
            } else {
                errors.add(taken);
            }
        }
        errors.forEach(Reply::check);
        releaseEmpty(hold);
    }

    /**
     * A checkout that goes out with the close of the batch before it, and keeps its partitions. Nobody else has them in
     * between, so nothing in them fails meanwhile.
     */
    static final class Next {
        /** What it holds, once that is answered. */
        final Hold hold;

        private final List<Held> before;
        private final List<Command> commands;
        private final int[] shares;

        private Next(Hold before, Moment renewed, int limit) {
            this.hold = before.next(renewed);
            this.before = before.partitions;
            this.shares = shares(limit, this.before.size());
            this.commands = new ArrayList<>(1 + this.before.size());
            commands.add(Settling.next(before));
            for (int i = 0; i < shares.length; i++) {
                commands.add(read(this.before.get(i).keys.messages(), "-", shares[i]));
            }
        }

        /** The close of the batch before it, and what reads. */
        List<Command> commands() {
            return commands;
        }

        /** Takes over the answers to what reads; what it holds then is to be completed or released. */
        void answered(List<Object> replies) {
            for (int i = 0; i < shares.length; i++) {
                Held old = before.get(i);
                hold.partitions.add(new Held(old.partition, old.keys, old.fence, List.of(), shares[i]));
            }
            for (int i = 0; i < shares.length; i++) {
                hold.partitions.get(i).add(Reply.list(replies.get(i)));
            }
        }
    }

    /**
     * The checkout that will most likely come next, if it will be of the partitions of this batch; else null.
     *
     * @param renewed when the lease of the batch was asked for
     */
    @Nullable
    Next next(Hold before, Moment renewed, int limit) {
        if (before.isLast
                || !renewed.isWithin(lease.dividedBy(PASSED_ON))
                || candidates.isInCompany()
                || candidates.isDiscoveryDue(System.nanoTime())
                || !candidates.areAll(before.partitions, limit)
                || !before.partitions.stream().allMatch(Held::isSound)) {
            return null;
        }
        return new Next(before, renewed, limit);
    }

    /**
     * Begins to read what is behind a batch that was passed its partitions on, if it will most likely pass them on too.
     *
     * @param nanos how long the batch is expected to take
     */
    void readAhead(Hold hold, int limit, long nanos) {
        if (hold.messages() < limit
                || hold.bytes() > ReadAhead.MOST_BYTES
                || candidates.isDiscoveryDue(System.nanoTime() + nanos)) {
            return;
        }
        int[] shares = shares(limit, hold.partitions.size());
        List<Command> reads = new ArrayList<>(shares.length);
        for (int i = 0; i < shares.length; i++) {
            Held held = hold.partitions.get(i);
            reads.add(read(held.keys.messages(), held.after(), shares[i]));
        }
        hold.readAhead(link.readAhead(place, reads));
    }

    /** Brings what was checked out ahead up to now: there may be more, if there was room. */
    @Nullable
    Hold complete(Hold hold, int limit, Consumer<Hold> onFailure) {
        if (hold.messages() == limit) {
            return hold;
        }
        try {
            // What is released here is closed for this token, and must not be taken with it once more.
            Set<Partition> tried = new HashSet<>();
            for (Held held : hold.partitions) {
                held.full = true;
                tried.add(held.partition);
            }
            readOn(hold, limit);
            releaseEmpty(hold);
            if (hold.messages() < limit && hold.partitions.size() < MOST_PARTITIONS) {
                discover();
                fill(hold, limit, tried);
            }
        } catch (RuntimeException | Error e) {
            onFailure.accept(hold);
            throw e;
        }
        return hold.partitions.isEmpty() ? null : hold;
    }

    /** Whose messages were deleted by hand in this very moment. */
    private void releaseEmpty(Hold hold) {
        List<Held> empty =
                hold.partitions.stream().filter(held -> held.entries.isEmpty()).toList();
        if (!empty.isEmpty()) {
            hold.partitions.removeAll(empty);
            hold.isLast = true;
            link.call(place, Settling.release(hold, empty));
        }
    }

    /** After renewing the lease: without it, what is read could be somebody else's by now. */
    private void readOn(Hold hold, int limit) {
        while (true) {
            List<Held> full = hold.partitions.stream().filter(held -> held.full).toList();
            int room = limit - hold.messages();
            if (full.isEmpty() || room == 0) {
                return;
            }
            full = full.subList(0, Math.min(full.size(), room));
            int[] shares = shares(room, full.size());
            List<Command> commands = new ArrayList<>(2 * full.size());
            for (int i = 0; i < full.size(); i++) {
                Held held = full.get(i);
                held.share = shares[i];
                commands.add(hold.renew(List.of(held), leaseMillis));
                commands.add(read(held.keys.messages(), held.after(), shares[i]));
            }
            List<Object> replies = link.all(place, commands);
            for (int i = 0; i < full.size(); i++) {
                if (Reply.number(replies.get(2 * i)) == 1) {
                    full.get(i).add(Reply.list(replies.get(2 * i + 1)));
                } else {
                    hold.partitions.remove(full.get(i)); // it took so long that others have it
                }
            }
        }
    }

    private static Command read(byte[] messages, String from, int count) {
        return Command.of(
                Protocol.Command.XRANGE,
                messages,
                Place.bytes(from),
                LAST,
                COUNT,
                Place.bytes(Integer.toString(count)));
    }

    private static int[] shares(int room, int among) {
        int[] shares = new int[among];
        for (int i = 0; i < among; i++) {
            shares[i] = room / among + (i < room % among ? 1 : 0);
        }
        return shares;
    }
}
