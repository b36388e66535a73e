package dev.outbox.store.redis;

import dev.outbox.store.support.Place;
import dev.outbox.store.support.StoreOperations.Listing;
import dev.outbox.store.support.StoreOperations.Placed;
import dev.outbox.store.support.StoreOperations.Portion;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.exceptions.JedisDataException;

/**
 * Reads the messages of a page. The partitions are those that had messages when the page began. Their lengths say how
 * many of them are needed, so that no more is read than was asked for, whatever the number of partitions.
 */
final class PageListing implements Listing {
    /** Partitions whose lengths one request asks for. */
    private static final int AT_A_TIME = 200;

    private final RetryingClient client;
    private final KeyNames keyNames;
    private final List<Partition> partitions;

    /** @param partitions of one topic, in the order of their numbers */
    PageListing(RetryingClient client, KeyNames keyNames, List<Partition> partitions) {
        this.client = client;
        this.keyNames = keyNames;
        this.partitions = partitions;
    }

    /** What is wanted of a partition. */
    private record Share(Partition partition, long length, long wanted) {
        /** Whether there may be more, if this many were read. */
        boolean isPart(int read) {
            return read == wanted && wanted < length;
        }
    }

    @Override
    public Portion next(Place after, int limit, long bytes) {
        List<Partition> left = partitions.stream()
                .filter(each -> each.number() >= after.partition())
                .toList();
        // As a rule each has a message.
        List<Partition> some = left.subList(0, Math.min(left.size(), Math.min(AT_A_TIME, limit)));
        List<Share> shares = shares(some, after, limit);
        Map<Partition, Answer> answers = read(shares, after, limit, Math.min(bytes, ReadAhead.MOST_BYTES));
        List<Placed> found = new ArrayList<>();
        Place place = after;
        for (Share share : shares) {
            Answer answer = answers.getOrDefault(share.partition(), Answer.NONE);
            for (Placed each : answer.messages()) {
                if (found.size() == limit) {
                    return new Portion(found, place);
                }
                found.add(each);
                place = each.place();
            }
            if (answer.isCut() || share.isPart(answer.messages().size())) {
                return new Portion(found, place);
            }
        }
        int looked = shares.size();
        return new Portion(
                found,
                looked == left.size() ? null : Place.startOf(left.get(looked).number()));
    }

    /** Those of the partitions up to the one with which there are enough messages. */
    private List<Share> shares(List<Partition> some, Place after, int limit) {
        Map<Partition, Object> lengths = new HashMap<>();
        keyNames.byKeySpace(some).forEach((keySpace, its) -> {
            List<Object> replies = client.all(
                    keySpace,
                    its.stream()
                            .map(each -> Command.of(
                                    Protocol.Command.XLEN, keySpace.keys(each).messages()))
                            .toList());
            for (int i = 0; i < its.size(); i++) {
                lengths.put(its.get(i), replies.get(i));
            }
        });
        List<Share> shares = new ArrayList<>();
        long room = limit;
        for (Partition partition : some) {
            if (room <= 0) {
                break;
            }
            long length = length(lengths.get(partition));
            shares.add(new Share(partition, length, Math.min(room, length)));
            // Of one that has begun, some are before the place.
            room -= isBegun(partition, after) ? 0 : length;
        }
        return shares;
    }

    private static boolean isBegun(Partition partition, Place after) {
        return partition.number() == after.partition() && after.compareTo(Place.startOf(partition.number())) > 0;
    }

    /** The length of a stream. It is 0 if there is none, or if another program has put something else there. */
    private static long length(@Nullable Object reply) {
        if (reply instanceof JedisDataException error && Trouble.code(error).equals("WRONGTYPE")) {
            return 0;
        }
        return Reply.number(reply);
    }

    /**
     * What was read of a partition.
     *
     * @param isCut whether there may be more, because there was enough
     */
    private record Answer(List<Placed> messages, boolean isCut) {
        static final Answer NONE = new Answer(List.of(), false);
    }

    private Map<Partition, Answer> read(List<Share> shares, Place after, int limit, long bytes) {
        Map<KeySpace, List<Share>> byKeySpace =
                byKeySpace(shares.stream().filter(share -> share.wanted() > 0).toList());
        Map<Partition, Answer> answers = new HashMap<>();
        byKeySpace.forEach((keySpace, its) -> {
            long enough = Math.max(1, bytes / byKeySpace.size());
            List<Object> replies = Reply.list(client.call(keySpace, call(keySpace, its, after, limit, enough)));
            for (int i = 0; i < its.size(); i++) {
                Partition partition = its.get(i).partition();
                answers.put(partition, answer(partition, Reply.list(replies.get(i))));
            }
        });
        return answers;
    }

    private static Command call(KeySpace keySpace, List<Share> shares, Place after, int limit, long bytes) {
        List<byte[]> keys = new ArrayList<>();
        List<byte[]> arguments =
                new ArrayList<>(List.of(KeySpace.bytes(Long.toString(bytes)), KeySpace.bytes(Integer.toString(limit))));
        for (Share share : shares) {
            KeySpace.Keys its = keySpace.keys(share.partition());
            keys.add(its.messages());
            keys.add(its.attempts());
            arguments.add(KeySpace.bytes(
                    isBegun(share.partition(), after) ? "(" + after.major() + "-" + after.minor() : "-"));
            arguments.add(KeySpace.bytes(Long.toString(share.wanted())));
        }
        return Script.PAGE.call(keys, arguments);
    }

    private static Answer answer(Partition partition, List<Object> reply) {
        List<Object> entries = Reply.list(reply.get(0));
        List<Object> failures = Reply.list(reply.get(1));
        List<Placed> messages = new ArrayList<>();
        for (int i = 0; i < entries.size(); i++) {
            StreamEntry entry = StreamEntry.of(entries.get(i));
            String[] position = Reply.text(entry.position()).split("-", 2);
            messages.add(new Placed(
                    new Place(partition.number(), Long.parseLong(position[0]), Long.parseLong(position[1])),
                    entry.message(partition, (int) Reply.numberOr(1, failures.get(i)))));
        }
        return new Answer(messages, Reply.number(reply.get(2)) == 1);
    }

    private Map<KeySpace, List<Share>> byKeySpace(List<Share> shares) {
        Map<KeySpace, List<Share>> byKeySpace = new HashMap<>();
        shares.forEach(share -> byKeySpace
                .computeIfAbsent(keyNames.keySpace(share.partition().number()), none -> new ArrayList<>())
                .add(share));
        return byKeySpace;
    }
}
