package dev.outbox.store.redis;

import dev.outbox.MisuseException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.StoreException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.Builder;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.args.Rawable;
import redis.clients.jedis.args.RawableFactory;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Queues messages in a transaction of the application. Commands go out as they are, so that a client that changes keys
 * on their way does not hide the messages from the relays. Like the transaction, used by one thread at a time.
 */
final class RedisPersist implements PersistFunc {
    private static final Rawable ONLY_NEW = RawableFactory.from("NX");
    private static final Rawable AT_ONCE = RawableFactory.from("0");
    private static final Rawable NEXT = RawableFactory.from("*");
    private static final byte[] NOTHING = {};

    private final AbstractTransaction tx;
    private final KeyNames keyNames;
    private final byte @Nullable [] channel;

    /**
     * Told of by the transaction when there are results: when it is executed, or immediately if it has not begun.
     * (Asking a response instead costs an exception each time.) Nobody tells of a transaction that is discarded.
     */
    private final Builder<Object> answers = new Builder<>() {
        @Override
        public Object build(Object result) {
            answered = true;
            return result;
        }
    };

    /** Whether there was a result of what was queued. */
    private boolean answered;

    /** @param channel where to tell of the commit, or null */
    RedisPersist(AbstractTransaction tx, KeyNames keyNames, byte @Nullable [] channel) {
        this.tx = tx;
        this.keyNames = keyNames;
        this.channel = channel;
    }

    @Override
    public String persist(OutgoingMessage message) {
        write(message);
        announce();
        return message.id();
    }

    @Override
    public List<String> persistAll(List<OutgoingMessage> messages) {
        messages.forEach(this::write);
        if (!messages.isEmpty()) {
            announce();
        }
        return messages.stream().map(OutgoingMessage::id).toList();
    }

    private void write(OutgoingMessage message) {
        KeySpace keySpace = keyNames.keySpace(message.partition());
        KeySpace.Keys keys = keySpace.keys(new Partition(message.topic(), message.partition()));
        try {
            // With every message, because a transaction object may be used again, and a message that is in no index is
            // found by nobody. The index first: without messages it does no harm.
            queue(new CommandArguments(Protocol.Command.ZADD)
                    .add(keySpace.ready())
                    .add(ONLY_NEW)
                    .add(AT_ONCE)
                    .add(keys.member()));
            queue(new CommandArguments(Protocol.Command.XADD)
                    .add(keys.messages())
                    .add(NEXT)
                    .add(EntryHeader.write(message))
                    .add(message.payload()));
        } catch (JedisException e) {
            throw failed(e);
        }
    }

    /**
     * Tells of the commit, with every call: whether what told of it before is still queued, or was discarded or refused
     * with its transaction, is not known here.
     */
    private void announce() {
        if (channel == null) {
            return;
        }
        try {
            tx.sendCommand(Protocol.Command.PUBLISH, channel, NOTHING);
        } catch (JedisException e) {
            throw failed(e);
        }
    }

    private static StoreException failed(JedisException e) {
        return new StoreException("Writing a message to the outbox failed: " + StoreErrors.describe(e), e);
    }

    /** @throws MisuseException if it was carried out instead */
    private void queue(CommandArguments command) {
        answered = false;
        tx.executeCommand(new CommandObject<>(command, answers));
        if (answered) {
            throw new MisuseException("The transaction has not begun, so there is nothing that the message could share:"
                    + " it would be published even if your other changes fail. Call multi() first.");
        }
    }
}
