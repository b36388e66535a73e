package dev.outbox.store.redis;

import dev.outbox.MisuseException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.StoreException;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.Builder;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.Response;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Queues messages in a transaction of the application. Commands go out as they are, so that a client that changes keys on
 * their way does not hide the messages from the relays. Like the transaction, used by one thread at a time.
 */
final class RedisPersist implements PersistFunc {
    private static final byte[] ONLY_NEW = Place.bytes("NX");
    private static final byte[] AT_ONCE = {'0'};
    private static final byte[] NEXT = {'*'};
    private static final byte[] NOTHING = {};

    private final AbstractTransaction tx;
    private final Names names;
    private final byte @Nullable [] channel;
    /**
     * Told of by the transaction when it is executed, because then it builds the results. (Asking a response instead costs an
     * exception each time.) Nobody tells of a transaction that is discarded.
     */
    private final Builder<Object> executed = new Builder<>() {
        @Override
        public Object build(Object result) {
            begun = false;
            announced = false;
            return result;
        }
    };

    /** Whether the transaction was seen to queue, and not seen to be executed since. */
    private boolean begun;

    /** Whether the commit is told of by what was queued already. */
    private boolean announced;

    /** @param channel where to tell of the commit, or null */
    RedisPersist(AbstractTransaction tx, Names names, byte @Nullable [] channel) {
        this.tx = tx;
        this.names = names;
        this.channel = channel;
    }

    @Override
    public String persist(OutgoingMessage message) {
        String member = new Partition(message.topic(), message.partition()).member();
        Place place = names.place(message.partition());
        byte[] id = MessageId.next();
        try {
            // With every message, because a transaction object may be used again, and a message that is in no index is
            // found
            // by nobody. The index first: without messages it does no harm.
            Response<Object> indexed = tx.executeCommand(new CommandObject<>(
                    new CommandArguments(Protocol.Command.ZADD)
                            .add(place.ready())
                            .add(ONLY_NEW)
                            .add(AT_ONCE)
                            .add(Place.bytes(member)),
                    executed));
            if (!begun) {
                requireQueued(indexed);
                begun = true;
            }
            tx.sendCommand(
                    Protocol.Command.XADD, place.messages(member), NEXT, Label.write(id, message), message.payload());
            if (channel != null && !announced) {
                tx.sendCommand(Protocol.Command.PUBLISH, channel, NOTHING);
                announced = true;
            }
        } catch (JedisException e) {
            throw new StoreException("Writing a message to the outbox failed: " + Failures.describe(e), e);
        }
        return MessageId.shown(id);
    }

    private static void requireQueued(Response<Object> response) {
        if (isDone(response)) {
            throw new MisuseException("The transaction has not begun, so there is nothing that the message could share:"
                    + " it would be published even if your other changes fail. Call multi() first.");
        }
    }

    private static boolean isDone(Response<Object> response) {
        try {
            response.get();
            return true;
        } catch (IllegalStateException e) {
            return false;
        } catch (JedisException e) {
            return true;
        }
    }
}
