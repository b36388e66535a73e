package dev.outbox.store.redis;

import dev.outbox.DeadLetter;
import dev.outbox.Holders.Holder;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.Operations.Backlog;
import dev.outbox.Operations.DeadLetterTopic;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.PersistedMessage;
import dev.outbox.store.support.StoreOperations;
import dev.outbox.store.support.Surroundings;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Protocol;

/** {@link Operations} by scripts, one for each key space. */
final class RedisOperations implements StoreOperations {
    /** Partitions that one script looks at, so that none keeps a server for long. */
    private static final int AT_A_TIME = 200;

    /** Of each, two letters are looked at, which may be large. */
    private static final int TOPICS_AT_A_TIME = 10;

    /** A script that has put back or deleted this number of bytes leaves the rest to the next. */
    private static final byte[] BYTES_AT_A_TIME = KeySpace.bytes("8388608");

    private static final byte[] FIRST = {'-'};
    private static final byte[] LAST = {'+'};
    private static final byte[] COUNT = KeySpace.bytes("COUNT");

    /** Scores between those of free partitions and those of delayed ones, which are the ends of leases. */
    private static final byte[] NOT_FREE = KeySpace.bytes("(0");

    private static final byte[] BY_SCORE = KeySpace.bytes("BYSCORE");
    private static final byte[] NOT_DELAYED = KeySpace.bytes("(1000000000000000");

    private final RetryingClient client;
    private final KeyNames keyNames;
    private final Surroundings<KeyNames, RuntimeException> surroundings;

    RedisOperations(RetryingClient client, KeyNames keyNames, Surroundings<KeyNames, RuntimeException> surroundings) {
        this.client = client;
        this.keyNames = keyNames;
        this.surroundings = surroundings;
    }

    @Override
    public List<Backlog> backlog() {
        return asking("Asking for the backlog", () -> {
            surroundings.requireNow(keyNames); // messages that were deleted are in no backlog
            List<Backlog> backlog = new ArrayList<>();
            for (KeySpace keySpace : keyNames.keySpaces()) {
                for (List<Partition> some : pages(partitions(keySpace))) {
                    List<byte[]> keys = some.stream()
                            .map(partition -> keySpace.keys(partition).messages())
                            .toList();
                    List<Object> reply = Reply.list(client.call(keySpace, Script.BACKLOG.call(keys, List.of())));
                    long now = Reply.number(reply.get(0));
                    for (int i = 0; i < some.size(); i++) {
                        if (!(reply.get(i + 1) instanceof List<?>)) {
                            continue; // its keys cannot be used, which is shown among the failing ones
                        }
                        List<Object> each = Reply.list(reply.get(i + 1));
                        long pending = Reply.number(each.get(0));
                        if (pending > 0) {
                            backlog.add(new Backlog(
                                    some.get(i).topic(),
                                    some.get(i).number(),
                                    pending,
                                    Duration.ofMillis(Math.max(0, now - Reply.number(each.get(1))))));
                        }
                    }
                }
            }
            backlog.sort(Comparator.comparing(Backlog::topic).thenComparing(Backlog::partition));
            return backlog;
        });
    }

    @Override
    public List<FailingPartition> failingPartitions() {
        return asking("Asking for failing partitions", () -> {
            List<FailingPartition> failing = new ArrayList<>();
            for (KeySpace keySpace : keyNames.keySpaces()) {
                List<Partition> partitions = new ArrayList<>();
                for (String member : members(keySpace)) {
                    Partition partition = Partition.parse(member);
                    if (partition == null) {
                        failing.add(new FailingPartition(
                                member,
                                0,
                                "",
                                1,
                                "The index of the outbox has this member, which is no partition; it is passed over."
                                        + " Remove it: ZREM " + Reply.text(keySpace.ready()) + " '" + member + "'",
                                Instant.EPOCH));
                    } else {
                        partitions.add(partition);
                    }
                }
                pages(partitions).forEach(some -> addFailing(keySpace, some, failing));
            }
            failing.sort(Comparator.comparing(FailingPartition::topic).thenComparing(FailingPartition::partition));
            return failing;
        });
    }

    private void addFailing(KeySpace keySpace, List<Partition> some, List<FailingPartition> failing) {
        List<byte[]> keys = new ArrayList<>(3 * some.size());
        for (Partition partition : some) {
            KeySpace.Keys of = keySpace.keys(partition);
            keys.addAll(List.of(of.messages(), of.state(), of.attempts()));
        }
        List<Object> reply = Reply.list(client.call(keySpace, Script.FAILING.call(keys, List.of())));
        for (int i = 0; i < some.size(); i++) {
            Partition partition = some.get(i);
            if (!(reply.get(i) instanceof List<?>)) {
                failing.add(new FailingPartition(
                        partition.topic(),
                        partition.number(),
                        "",
                        1,
                        "Its keys cannot be used, so it is left alone, and tried again every few seconds: "
                                + Reply.text(reply.get(i)) + ". Others have changed them: look at TYPE of "
                                + String.join(" and ", namesOf(keySpace.keys(partition)))
                                + ", which are to be a stream, a hash and a hash, and rename what is not",
                        Instant.EPOCH));
                continue;
            }
            List<Object> both = Reply.list(reply.get(i));
            List<Object> each = Reply.list(both.get(0));
            List<Object> odd = Reply.list(both.get(1));
            StreamEntry head = odd.isEmpty() ? null : StreamEntry.withoutPayload(odd);
            String problem = head == null ? null : head.problem();
            if (head != null && problem != null) {
                failing.add(new FailingPartition(
                        partition.topic(),
                        partition.number(),
                        head.shown(),
                        1,
                        Aside.ofEntry(keySpace.keys(partition), head, problem),
                        Instant.EPOCH));
            } else if (!each.isEmpty()) {
                failing.add(new FailingPartition(
                        partition.topic(),
                        partition.number(),
                        MessageId.shown(Reply.bytes(each.get(0))),
                        (int) Reply.numberOr(1, each.get(3)),
                        Reply.text(each.get(1)),
                        Instant.ofEpochMilli(Reply.numberOr(0, each.get(2)))));
            }
        }
    }

    private static List<String> namesOf(KeySpace.Keys keys) {
        return List.of(Reply.text(keys.messages()), Reply.text(keys.state()), Reply.text(keys.attempts()));
    }

    /**
     * Every partition with messages is in the index; one that had them deleted by hand may be too, and what others
     * wrote.
     */
    private List<String> members(KeySpace keySpace) {
        return Reply.list(client.call(
                        keySpace,
                        Command.of(
                                Protocol.Command.ZRANGE, keySpace.ready(), KeySpace.bytes("0"), KeySpace.bytes("-1"))))
                .stream()
                .map(Reply::text)
                .toList();
    }

    private List<Partition> partitions(KeySpace keySpace) {
        return members(keySpace).stream()
                .map(Partition::parse)
                .filter(Objects::nonNull)
                .toList();
    }

    private static <T> List<List<T>> pages(List<T> all) {
        return pages(all, AT_A_TIME);
    }

    private static <T> List<List<T>> pages(List<T> all, int size) {
        List<List<T>> pages = new ArrayList<>();
        for (int i = 0; i < all.size(); i += size) {
            pages.add(all.subList(i, Math.min(all.size(), i + size)));
        }
        return pages;
    }

    @Override
    public List<FailingPartition> failingPartitions(String topic, SortedSet<Integer> partitions) {
        return asking("Asking for failing partitions of a topic", () -> {
            List<FailingPartition> failing = new ArrayList<>();
            keyNames.byKeySpace(partitions.stream()
                            .map(number -> new Partition(topic, number))
                            .toList())
                    .forEach((keySpace, its) -> pages(its).forEach(some -> addFailing(keySpace, some, failing)));
            return failing;
        });
    }

    /** The index says once for a page which partitions have messages. */
    @Override
    public Listing listing(String topic, int first, int last) {
        return asking("Listing messages", () -> {
            surroundings.requireNow(keyNames); // messages that were deleted are on no page
            Listing listing = new PageListing(client, keyNames, partitions(topic, first, last));
            return (after, limit, bytes) -> asking("Listing messages", () -> listing.next(after, limit, bytes));
        });
    }

    private List<Partition> partitions(String topic, int first, int last) {
        if (first == last) {
            return List.of(new Partition(topic, first));
        }
        return keyNames.keySpaces().stream()
                .flatMap(keySpace -> partitions(keySpace).stream())
                .filter(each -> each.topic().equals(topic) && each.number() >= first && each.number() <= last)
                .sorted(Comparator.comparingInt(Partition::number))
                .toList();
    }

    /** Messages have no index by their ids here, so the store does without {@link dev.outbox.Capability#FINDING}. */
    @Override
    public Optional<PersistedMessage> pending(String id) {
        throw new UnsupportedOperationException("Redis does not find messages by their ids");
    }

    /** The index says which leases may go on, and the states of these partitions say whose they are. */
    @Override
    public List<Holder> holders() {
        return asking("Asking who holds partitions", () -> {
            List<Holder> holders = new ArrayList<>();
            for (KeySpace keySpace : keyNames.keySpaces()) {
                List<Partition> leased = Reply.list(client.call(
                                keySpace,
                                Command.of(Protocol.Command.ZRANGE, keySpace.ready(), NOT_FREE, NOT_DELAYED, BY_SCORE)))
                        .stream()
                        .map(member -> Partition.parse(Reply.text(member)))
                        .filter(Objects::nonNull)
                        .toList();
                for (List<Partition> some : pages(leased)) {
                    List<byte[]> keys = some.stream()
                            .map(partition -> keySpace.keys(partition).state())
                            .toList();
                    List<Object> reply = Reply.list(client.call(keySpace, Script.HOLDERS.call(keys, List.of())));
                    for (int i = 0; i < some.size(); i++) {
                        if (reply.get(i) instanceof List<?>) {
                            holders.add(holder(some.get(i), Reply.list(reply.get(i))));
                        }
                    }
                }
            }
            holders.sort(Comparator.comparing(Holder::topic).thenComparing(Holder::partition));
            return holders;
        });
    }

    /** The fence is the time of the server in microseconds, or a little later if its clock went back. */
    private static Holder holder(Partition partition, List<Object> state) {
        return new Holder(
                partition.topic(),
                partition.number(),
                Hold.owner(Reply.text(state.get(0))),
                Instant.ofEpochMilli(Reply.numberOr(0, state.get(1)) / 1_000),
                Instant.ofEpochMilli(Reply.numberOr(0, state.get(2))));
    }

    @Override
    public boolean retryNow(String topic, int partition) {
        if (partition < 0) {
            return false;
        }
        return asking("Ending the delay of a partition", () -> {
            KeySpace keySpace = keyNames.keySpace(partition);
            KeySpace.Keys keys = keySpace.keys(new Partition(topic, partition));
            return retry(keySpace, List.of(keys)) == 1;
        });
    }

    @Override
    public int retryNow(String topic) {
        return asking("Ending the delays of a topic", () -> {
            int failing = 0;
            for (KeySpace keySpace : keyNames.keySpaces()) {
                List<KeySpace.Keys> all = partitions(keySpace).stream()
                        .filter(partition -> partition.topic().equals(topic))
                        .map(keySpace::keys)
                        .toList();
                for (List<KeySpace.Keys> some : pages(all)) {
                    failing += retry(keySpace, some);
                }
            }
            return failing;
        });
    }

    private int retry(KeySpace keySpace, List<KeySpace.Keys> partitions) {
        List<byte[]> keys = new ArrayList<>(List.of(keySpace.ready()));
        List<byte[]> members = new ArrayList<>();
        partitions.forEach(each -> {
            keys.add(each.state());
            members.add(each.member());
        });
        return (int) Reply.number(client.call(keySpace, Script.RETRY.call(keys, members)));
    }

    @Override
    public List<DeadLetterTopic> deadLetterTopics() {
        return asking("Asking for topics with dead letters", () -> {
            Map<String, DeadLetterTopic> topics = new TreeMap<>();
            for (KeySpace keySpace : keyNames.keySpaces()) {
                for (List<String> some : pages(namesOfDead(keySpace), TOPICS_AT_A_TIME)) {
                    List<byte[]> keys = some.stream().map(keySpace::dead).toList();
                    List<Object> reply = Reply.list(client.call(keySpace, Script.DEAD_TOPICS.call(keys, List.of())));
                    for (int i = 0; i < some.size(); i++) {
                        List<Object> each = Reply.list(reply.get(i));
                        long letters = Reply.number(each.get(0));
                        if (letters > 0) {
                            topics.merge(
                                    some.get(i),
                                    new DeadLetterTopic(
                                            some.get(i), letters, writtenAt(each.get(1)), writtenAt(each.get(2))),
                                    RedisOperations::together);
                        }
                    }
                }
            }
            return List.copyOf(topics.values());
        });
    }

    private List<String> namesOfDead(KeySpace keySpace) {
        // Not HGETALL, whose answer has another shape in the protocol that later versions of Jedis speak.
        return Reply.list(client.call(keySpace, Command.of(Protocol.Command.HKEYS, keySpace.died()))).stream()
                .map(Reply::text)
                .toList();
    }

    private static Instant writtenAt(Object position) {
        String text = Reply.text(position);
        return Instant.ofEpochMilli(Long.parseLong(text.substring(0, text.indexOf('-'))));
    }

    /** A topic is in every key space in which it has a partition. */
    private static DeadLetterTopic together(DeadLetterTopic one, DeadLetterTopic other) {
        return new DeadLetterTopic(
                one.topic(),
                one.deadLetters() + other.deadLetters(),
                one.firstDiedAt().isBefore(other.firstDiedAt()) ? one.firstDiedAt() : other.firstDiedAt(),
                one.lastDiedAt().isAfter(other.lastDiedAt()) ? one.lastDiedAt() : other.lastDiedAt());
    }

    @Override
    public List<DeadLetter> deadLetters(String topic, @Nullable String afterId, int limit) {
        if (limit < 1) {
            throw new MisuseException("limit is " + limit + "; expected at least 1.");
        }
        return asking("Asking for dead letters", () -> {
            Location after = afterId == null ? null : locate(afterId);
            if (afterId != null && (after == null || !after.partition().topic().equals(topic))) {
                throw new MisuseException("There is no dead letter " + afterId + " of topic " + topic
                        + " to start behind; it was redriven or discarded. Start again at the first page.");
            }
            List<Letter> found = new ArrayList<>();
            for (KeySpace keySpace : keyNames.keySpaces()) {
                letters(keySpace, topic, after == null ? FIRST : KeySpace.bytes(from(keySpace, after)), limit)
                        .forEach(entry -> found.add(new Letter(keySpace.index(), entry)));
            }
            return found.stream()
                    .sorted(Letter.ORDER)
                    .limit(limit)
                    .map(letter -> letter.entry().letter(topic))
                    .toList();
        });
    }

    /** The first of them from there on, in portions that are no more than a server would have ready for one client. */
    private List<StreamEntry> letters(KeySpace keySpace, String topic, byte[] from, int limit) {
        List<StreamEntry> letters = new ArrayList<>();
        byte[] next = from;
        long bytes = 0;
        int wanted = 1;
        while (wanted > 0) {
            List<Object> read = Reply.list(client.call(
                    keySpace,
                    Command.of(
                            Protocol.Command.XRANGE,
                            keySpace.dead(topic),
                            next,
                            LAST,
                            COUNT,
                            KeySpace.bytes(Integer.toString(wanted)))));
            for (Object each : read) {
                StreamEntry letter = StreamEntry.of(each);
                letters.add(letter);
                bytes += letter.bytes();
                next = KeySpace.bytes("(" + Reply.text(letter.position()));
            }
            if (read.size() < wanted) {
                break;
            }
            // What one has weighed on average says how many make up as much as a server has ready anyway; and those
            // that
            // come may weigh more, so that no more than twice as many are asked for as there were.
            long fitting = ReadAhead.MOST_BYTES / Math.max(1, bytes / letters.size());
            wanted = (int) Math.min(Math.min(limit - letters.size(), 2L * wanted), Math.max(1, fitting));
        }
        return letters;
    }

    /** Two key spaces may have an entry of the same time and number: then the one with the lower index comes first. */
    private static String from(KeySpace keySpace, Location after) {
        return keySpace.index() <= after.keySpace().index() ? "(" + after.position() : after.position();
    }

    /** A dead letter and the index of its key space. */
    private record Letter(int index, StreamEntry entry) {
        static final Comparator<Letter> ORDER = Comparator.<Letter>comparingLong(
                        letter -> part(Reply.text(letter.entry.position()), 0))
                .thenComparingLong(letter -> part(Reply.text(letter.entry.position()), 1))
                .thenComparingInt(Letter::index);

        private static long part(String position, int index) {
            return Long.parseLong(position.split("-", 2)[index]);
        }
    }

    @Override
    public Optional<DeadLetter> deadLetter(String id) {
        return asking("Asking for a dead letter", () -> {
            Location location = locate(id);
            if (location == null) {
                return Optional.empty();
            }
            byte[] position = KeySpace.bytes(location.position());
            return Reply.list(client.call(
                            location.keySpace(),
                            Command.of(
                                    Protocol.Command.XRANGE,
                                    location.keySpace()
                                            .keys(location.partition())
                                            .dead(),
                                    position,
                                    position)))
                    .stream()
                    .map(entry ->
                            StreamEntry.of(entry).letter(location.partition().topic()))
                    .findFirst();
        });
    }

    @Override
    public int redrive(Collection<String> ids) {
        return asking("Redriving dead letters", () -> forEachKeySpace(ids, "redrive"));
    }

    @Override
    public int discard(Collection<String> ids) {
        return asking("Discarding dead letters", () -> forEachKeySpace(ids, "discard"));
    }

    /**
     * In one step for each key space, or in some if the letters are large. When two operators do the same at a time,
     * the second script finds nothing left to do. If the answer is lost and it is done again, it finds nothing either,
     * so that the number may be too low, and nothing worse.
     */
    private int forEachKeySpace(Collection<String> ids, String what) {
        int done = 0;
        List<KeySpace> keySpaces = keyNames.keySpaces();
        List<byte[]> wanted =
                new LinkedHashSet<>(ids).stream().map(RedisOperations::stored).toList();
        for (KeySpace keySpace : keySpaces) {
            List<Location> left = locate(keySpace, wanted);
            while (!left.isEmpty()) {
                List<Object> answer = Reply.list(client.call(keySpace, call(keySpace, left, what)));
                int now = (int) Reply.number(answer.get(0));
                if (now < 0) { // one has moved between being looked up and being worked on
                    left = locate(keySpace, left.stream().map(Location::id).toList());
                } else {
                    done += now;
                    left = left.subList((int) Reply.number(answer.get(1)), left.size());
                }
            }
        }
        return done;
    }

    private static Command call(KeySpace keySpace, List<Location> letters, String what) {
        List<byte[]> keys = new ArrayList<>(List.of(keySpace.ready(), keySpace.letters(), keySpace.died()));
        List<byte[]> arguments = new ArrayList<>(List.of(KeySpace.bytes(what), BYTES_AT_A_TIME));
        for (Location location : letters) {
            keys.add(keySpace.keys(location.partition()).messages());
            keys.add(keySpace.keys(location.partition()).dead());
            arguments.add(location.id());
            arguments.add(KeySpace.bytes(location.text()));
        }
        return Script.DEAD_LETTERS.call(keys, arguments);
    }

    /**
     * Where a dead letter is.
     *
     * @param text the same as it is stored
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Location(KeySpace keySpace, byte[] id, String text, Partition partition, String position) {
        /** Null if it is not where we would have written it. */
        static @Nullable Location parse(KeySpace keySpace, byte[] id, String text) {
            int end = text.lastIndexOf(' ');
            Partition partition = end < 0 ? null : Partition.parse(text.substring(0, end));
            return partition == null ? null : new Location(keySpace, id, text, partition, text.substring(end + 1));
        }
    }

    private @Nullable Location locate(String id) {
        for (KeySpace keySpace : keyNames.keySpaces()) {
            List<Location> found = locate(keySpace, List.of(stored(id)));
            if (!found.isEmpty()) {
                return found.get(0);
            }
        }
        return null;
    }

    private List<Location> locate(KeySpace keySpace, List<byte[]> ids) {
        if (ids.isEmpty()) {
            return List.of();
        }
        byte[][] arguments = new byte[1 + ids.size()][];
        arguments[0] = keySpace.letters();
        for (int i = 0; i < ids.size(); i++) {
            arguments[i + 1] = ids.get(i);
        }
        List<Object> texts = Reply.list(client.call(keySpace, Command.of(Protocol.Command.HMGET, arguments)));
        List<Location> found = new ArrayList<>();
        for (int i = 0; i < ids.size(); i++) {
            Location location =
                    texts.get(i) instanceof byte[] text ? Location.parse(keySpace, ids.get(i), Reply.text(text)) : null;
            if (location != null) {
                found.add(location);
            }
        }
        return found;
    }

    /** What was not written by us has the id it has. */
    private static byte[] stored(String id) {
        byte[] parsed = MessageId.parse(id);
        return parsed == null ? KeySpace.bytes(id) : parsed;
    }

    private static <T> T asking(String doing, Supplier<T> work) {
        try {
            return work.get();
        } catch (RuntimeException e) {
            throw StoreErrors.of(doing, e);
        }
    }
}
