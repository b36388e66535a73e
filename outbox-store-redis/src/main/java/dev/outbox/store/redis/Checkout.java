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

    private static final byte[] MOST_FOUND = Place.bytes("1000");
    private static final byte[] LAST = {'+'};
    private static final byte[] COUNT = Place.bytes("COUNT");

    private final Link link;
    private final Place place;
    private final Set<String> topics;
    private final byte[] lease;
    private final Candidates candidates = new Candidates();

    Checkout(Link link, Place place, Set<String> topics, Duration lease) {
        this.link = link;
        this.place = place;
        this.topics = topics;
        this.lease = Place.bytes(Long.toString(lease.toMillis()));
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
        arguments.add(lease);
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

    /**
     * What is sent to take partitions and to read them.
     *
     * @param shares how many messages are read of each
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Taking(List<Partition> wanted, int[] shares, List<Command> commands) {}

    private void take(Hold hold, List<Partition> wanted, int room) {
        Taking taking = taking(hold, wanted, room);
        taken(hold, taking, link.all(place, taking.commands));
        releaseEmpty(hold);
    }

    private Taking taking(Hold hold, List<Partition> wanted, int room) {
        List<Command> commands = new ArrayList<>(2 * wanted.size());
        int[] shares = shares(room, wanted.size());
        for (int i = 0; i < wanted.size(); i++) {
            Partition partition = wanted.get(i);
            String member = partition.member();
            byte[] messages = place.messages(member);
            commands.add(Script.TAKE.call(
                    List.of(messages, place.state(member), place.attempts(member), place.ready()),
                    List.of(hold.token, lease, Place.bytes(member))));
            commands.add(read(messages, "-", shares[i]));
        }
        return new Taking(wanted, shares, commands);
    }

    private void taken(Hold hold, Taking taking, List<Object> replies) {
        List<Object> errors = new ArrayList<>();
        for (int i = 0; i < taking.wanted.size(); i++) {
            Partition partition = taking.wanted.get(i);
            Object taken = replies.get(2 * i);
            if (taken instanceof List<?>) {
                List<Object> parts = Reply.list(taken);
                Held held = new Held(partition, Reply.text(parts.get(0)), Reply.list(parts.get(1)), taking.shares[i]);
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
    }

    /** A checkout that goes out with the close of the batch before it. */
    final class Next {
        /** What it will hold. */
        final Hold hold = new Hold(place);

        private final Taking taking;

        private Next(List<Partition> wanted, int limit) {
            taking = taking(hold, wanted, limit);
        }

        List<Command> commands() {
            return taking.commands;
        }

        /** Takes over the answers; what it holds then is to be completed or released. */
        void answered(List<Object> replies) {
            taken(hold, taking, replies);
        }
    }

    /** The checkout that will most likely come next, or null if more has to be asked for it than to take partitions. */
    @Nullable
    Next next(int limit) {
        if (candidates.isInCompany() || candidates.isDiscoveryDue(System.nanoTime())) {
            return null;
        }
        List<Partition> inTurn = candidates.nextTurn(limit);
        int count = Math.min(candidates.firstTake(inTurn.size(), limit), MOST_PARTITIONS);
        return new Next(inTurn.subList(0, Math.min(count, inTurn.size())), limit);
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
                commands.add(hold.renew(List.of(held), lease));
                commands.add(read(place.messages(held.partition.member()), held.after(), shares[i]));
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
