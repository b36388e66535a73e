package dev.outbox.store.mongo;

import com.mongodb.client.ClientSession;
import java.util.ArrayList;
import java.util.List;
import org.bson.BsonDocument;
import org.bson.BsonTimestamp;
import org.jspecify.annotations.Nullable;

/** A partition that a batch holds, and what the batch has read of it. Confined to the thread of its batch. */
final class Held {
    final Lane lane;
    final Claim claim;

    /** What was known of a message that failed, when the partition was taken: id, position and reason. */
    final @Nullable BsonDocument failing;

    /** All reads of the partition are of one moment, not before the one it was taken at. */
    final ClientSession snapshot;

    final List<StoredMessage> messages = new ArrayList<>();

    /** How many messages the next read may return. */
    int share;

    /** Whether the last read found all that it was allowed to. */
    boolean mayHaveMore;

    /** What is wrong with the message behind the last one, which keeps what is behind it back; null if nothing is. */
    @Nullable
    String problem;

    private int before;

    Held(Lane lane, Claim claim, @Nullable BsonDocument failing, ClientSession snapshot) {
        this.lane = lane;
        this.claim = claim;
        this.failing = failing;
        this.snapshot = snapshot;
    }

    /** Behind which position the next read starts, null if at the oldest message. */
    @Nullable
    BsonTimestamp after() {
        return messages.isEmpty() ? null : messages.get(messages.size() - 1).position();
    }

    void startReading(int share) {
        this.share = share;
        this.before = messages.size();
    }

    void add(StoredMessage message) {
        if (problem == null) {
            problem = message.problem();
        }
        if (problem != null) {
            return;
        }
        BsonTimestamp last = after();
        if (last != null && message.position().compareTo(last) <= 0) {
            // The server sorts; if it did not, failing is better than reordering.
            throw new IllegalStateException("Position " + message.position() + " came after " + last + " in " + lane);
        }
        messages.add(message);
    }

    /** Returns how many messages were read. */
    int endReading() {
        int read = messages.size() - before;
        mayHaveMore = read == share;
        return read;
    }
}
