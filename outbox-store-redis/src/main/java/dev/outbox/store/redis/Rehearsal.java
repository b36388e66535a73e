package dev.outbox.store.redis;

import dev.outbox.ConfigurationException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.spi.BatchOutcomes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

/**
 * Goes once, when a store is opened, through what its batches will rest on: a message is written and found; what one
 * has taken another cannot take, renew or settle; what was settled is gone. In two round trips, with the scripts that
 * batches use, sent in full and by their names, on keys of its own among those of the outbox, where no relay looks.
 * They are deleted again.
 *
 * <p>It finds what no setting tells: commands that this user may not use or that were renamed, a server that cannot be
 * written to, and one that resembles Redis and lacks something (decision 17).
 */
final class Rehearsal {
    private static final int TRIES = 3;
    private static final byte[] MINUTE = KeySpace.bytes("60000");
    private static final Partition PARTITION = new Partition("check", 0);

    private final RetryingClient client;
    private final KeySpace keySpace;
    private final KeySpace.Keys keys;

    private Rehearsal(RetryingClient client, KeySpace outbox) {
        this.client = client;
        this.keySpace = outbox.within("check:" + UUID.randomUUID());
        this.keys = keySpace.keys(PARTITION);
    }

    /**
     * Begins again, on other keys, if something was sent more than once: a message that was written twice, or a
     * partition that was taken by the first time, is no fault of the server.
     */
    static void run(RetryingClient client, KeySpace outbox) {
        for (int i = 0; i < TRIES; i++) {
            if (new Rehearsal(client, outbox).isPassed()) {
                return;
            }
        }
        throw new JedisConnectionException("The server did not answer everything at the first time, in " + TRIES
                + " tries to go through what a batch does.");
    }

    private boolean isPassed() {
        boolean passed = false;
        try {
            passed = run();
            return passed;
        } finally {
            if (!passed) {
                client.tell(keySpace, List.of(delete()));
            }
        }
    }

    /** Whether everything was sent once, so that the answers tell something. */
    private boolean run() {
        OutgoingMessage message =
                new OutgoingMessage(PARTITION.topic(), 0, "key", Map.of("a", "b"), new byte[] {0, -1});
        Hold earlier = new Hold(keySpace);
        Hold one = new Hold(keySpace);
        Hold other = new Hold(keySpace);
        RetryingClient.Answers firstAnswers = send(List.of(
                full(Script.CHECK.call(
                        List.of(keySpace.key("stream"), keySpace.key("hash"), keySpace.key("sorted-set")), List.of())),
                full(Script.WRITE.call(
                        List.of(keySpace.ready(), keys.messages()),
                        List.of(keys.member(), EntryHeader.write(message), message.payload()))),
                full(Script.FIND_READY.call(
                        List.of(keySpace.ready(), keySpace.knocks()),
                        List.of(
                                KeySpace.bytes("10"),
                                KeySpace.bytes("0"),
                                MINUTE,
                                KeySpace.bytes("0"),
                                KeySpace.bytes(PARTITION.topic())))),
                full(take(earlier)),
                full(earlier.release(List.of(PARTITION))),
                full(take(one)),
                full(take(other)),
                Command.of(Protocol.Command.XRANGE, keys.messages(), KeySpace.bytes("-"), KeySpace.bytes("+")),
                Command.of(Protocol.Command.XLEN, keys.messages()),
                Command.of(Protocol.Command.ZCARD, keySpace.ready()),
                Command.of(Protocol.Command.ZRANGE, keySpace.ready(), KeySpace.bytes("0"), KeySpace.bytes("-1")),
                Command.of(Protocol.Command.HMGET, keySpace.letters(), KeySpace.bytes("none"))));
        List<Object> first = firstAnswers.replies();
        check(first.subList(0, 1));
        refuse(Reply.list(first.get(0))); // which knows best what is wrong, if anything is
        check(first);
        if (firstAnswers.resent()) {
            return false;
        }
        expect(
                "a message that was written is found by an index",
                4,
                Reply.list(first.get(2)).size());
        String before = fence(first.get(3));
        HeldPartition held =
                HeldPartition.of(PARTITION, keys, list("a partition that is free can be taken", first.get(5)));
        expect("fences rise", true, before.compareTo(held.fence) < 0);
        expect("what one has taken another cannot take", 1L, first.get(6));
        held.add(Reply.list(first.get(7)));
        expect("a message is read as it was written", List.of(message.id()), ids(held));
        expect("the number of messages is known", 1L, first.get(8));
        one.partitions.add(held);
        other.partitions.add(held);

        PersistedMessage read = held.entries.get(0).message(PARTITION, 0);
        BatchOutcomes outcomes = new BatchOutcomes(List.of(read));
        outcomes.published(read, null);
        RetryingClient.Answers secondAnswers = send(List.of(
                take(other), // by its name, which the server knows by now
                full(other.renew(List.of(held), MINUTE)),
                full(one.renew(List.of(held), MINUTE)),
                full(BatchCloser.close(other, outcomes)),
                full(BatchCloser.close(one, outcomes)),
                Command.of(Protocol.Command.XLEN, keys.messages()),
                Command.of(Protocol.Command.ZCARD, keySpace.ready()),
                delete()));
        List<Object> second = secondAnswers.replies();
        check(second);
        if (secondAnswers.resent()) {
            return false;
        }
        expect("what one has taken another cannot take later either", 1L, second.get(0));
        expect("what one has taken another cannot renew", 0L, second.get(1));
        expect("who has taken it can renew it", 1L, second.get(2));
        expect("what one has taken another cannot settle", 0L, second.get(3));
        expect("who has taken it can settle it", 1L, second.get(4));
        expect("what was settled is gone", 0L, second.get(5));
        expect("a partition without messages is in no index", 0L, second.get(6));
        return true;
    }

    private Command take(Hold hold) {
        return Script.TAKE.call(
                List.of(keySpace.ready(), keys.messages(), keys.state(), keys.attempts()),
                List.of(hold.token, MINUTE, KeySpace.bytes("1"), keys.member()));
    }

    private Command delete() {
        return Command.of(
                Protocol.Command.DEL,
                keySpace.ready(),
                keySpace.letters(),
                keySpace.died(),
                keySpace.knocks(),
                keys.messages(),
                keys.state(),
                keys.attempts(),
                keys.dead(),
                keySpace.key("stream"),
                keySpace.key("hash"),
                keySpace.key("sorted-set"));
    }

    private static Command full(Command call) {
        Script script = call.script();
        return script == null ? call : script.inFull(call);
    }

    private RetryingClient.Answers send(List<Command> commands) {
        return client.send(keySpace, commands, commands.size(), RetryingClient.PATIENCE);
    }

    /** The first that is an error is thrown. Commands after it have failed because of it, or have succeeded. */
    private static void check(List<Object> replies) {
        for (Object reply : replies) {
            if (reply instanceof JedisDataException e && isUnknown(String.valueOf(e.getMessage()))) {
                throw new ConfigurationException(unknown("a command that the outbox needs", e.getMessage()), e);
            }
            Reply.check(reply);
        }
    }

    private static void refuse(List<Object> refused) {
        if (refused.isEmpty()) {
            return;
        }
        String command = Reply.text(refused.get(0));
        String why = Reply.text(refused.get(1));
        if (isUnknown(why)) {
            throw new ConfigurationException(unknown(command, why));
        }
        if (why.contains("READONLY")) {
            throw new JedisDataException(why); // which is not the user's fault
        }
        throw new ConfigurationException("This user cannot use " + command + " on keys of the outbox: " + why
                + ". Allow it with ACL SETUSER; docs/REDIS.md has the list of what the outbox needs.");
    }

    private static boolean isUnknown(String error) {
        return error.toLowerCase(Locale.ROOT).contains("unknown") && error.contains("ommand");
    }

    private static String unknown(String command, @Nullable String why) {
        return "The server does not know " + command + ": " + StoreErrors.withoutArguments(String.valueOf(why))
                + ". It was renamed or switched off (rename-command), or this is"
                + " no Redis 6.2 or newer: let it keep its name.";
    }

    private static List<Object> list(String what, Object answer) {
        Object element = Reply.list(answer).get(0);
        expect(what, true, element instanceof List<?>);
        return Reply.list(element);
    }

    private static String fence(Object answer) {
        return Reply.text(list("a partition with messages can be taken", answer).get(0));
    }

    private static List<String> ids(HeldPartition held) {
        List<String> ids = new ArrayList<>();
        held.entries.forEach(entry -> ids.add(entry.message(PARTITION, 0).id()));
        return ids;
    }

    private static void expect(String what, Object expected, Object answer) {
        Object found =
                answer instanceof List<?> some && some.size() == 1 && !expected.equals(answer) ? some.get(0) : answer;
        if (found instanceof Integer number) {
            found = number.longValue();
        }
        Object wanted = expected instanceof Integer number ? (Object) number.longValue() : expected;
        if (!wanted.equals(found)) {
            throw new ConfigurationException("The server does not do what an outbox rests on. Expected: " + what
                    + "; but the answer was " + (found instanceof byte[] ? Reply.text(found) : found) + " instead of "
                    + wanted + ". Use Redis 6.2 or newer, or a server that does the same.");
        }
    }
}
