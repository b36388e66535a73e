package dev.outbox.store.mongo;

import com.mongodb.client.ClientSession;
import java.util.ArrayList;
import java.util.List;
import org.bson.BsonDocument;
import org.bson.BsonNull;
import org.bson.BsonTimestamp;
import org.bson.BsonValue;
import org.jspecify.annotations.Nullable;

/** A partition that a batch holds, and what the batch has read of it. Confined to the thread of its batch. */
final class HeldPartition {
    final Partition partition;
    final Hold hold;

    /** What was known of a message that failed, when the partition was taken. */
    final @Nullable FailedBefore failing;

    /** All reads of the partition are of one moment, not before the one it was taken at. */
    final ClientSession snapshot;

    /** Whether its document says that a message of it cannot be read. */
    final boolean hadProblem;

    final List<StoredMessage> messages = new ArrayList<>();

    /** How many messages the next read may return. */
    int share;

    /** Whether the last read found all that it was allowed to. */
    boolean mayHaveMore;

    /** What is wrong with the message after the last one, which keeps later ones back; null if nothing is. */
    @Nullable
    String problem;

    /** The {@code _id} of that message. */
    BsonValue problemOf = BsonNull.VALUE;

    private int before;

    /**
     * @param document the partition's
     */
    HeldPartition(Partition partition, Hold hold, BsonDocument document, ClientSession snapshot) {
        this.partition = partition;
        this.hold = hold;
        this.failing = FailedBefore.of(document);
        this.hadProblem = document.containsKey(PartitionDocuments.PROBLEM);
        this.snapshot = snapshot;
    }

    /** The position after which the next read starts; null if it starts at the oldest message. */
    @Nullable
    BsonTimestamp after() {
        return messages.isEmpty() ? null : messages.get(messages.size() - 1).position();
    }

    /** How many of its share the read that goes on has not had yet. */
    int left() {
        return share - (messages.size() - before);
    }

    void startReading(int share) {
        this.share = share;
        this.before = messages.size();
    }

    void add(StoredMessage message) {
        if (problem == null) {
            problem = message.problem();
            problemOf = message.id();
        }
        if (problem != null) {
            return;
        }
        BsonTimestamp last = after();
        if (last != null && message.position().compareTo(last) <= 0) {
            // The server sorts, and gives each a position of its own: only hands give two of them the same one.
            problemOf = message.id();
            problem = "Message " + message.message().id() + " of " + partition
                    + " has the position of the one before it, "
                    + messages.get(messages.size() - 1).message().id()
                    + ", and stops its partition. Something else has written to the collections of the outbox; give it a"
                    + " position of its own, which is a timestamp, or delete it.";
            return;
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
