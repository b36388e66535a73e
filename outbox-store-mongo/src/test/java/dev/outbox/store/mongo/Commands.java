package dev.outbox.store.mongo;

import com.mongodb.event.CommandListener;
import com.mongodb.event.CommandStartedEvent;
import java.util.ArrayList;
import java.util.List;
import org.bson.BsonDocument;

/** What a client has sent to the server. */
final class Commands implements CommandListener {
    private final List<BsonDocument> sent = new ArrayList<>();

    @Override
    public synchronized void commandStarted(CommandStartedEvent event) {
        sent.add(event.getCommand().clone());
    }

    synchronized void clear() {
        sent.clear();
    }

    synchronized List<BsonDocument> sent() {
        return List.copyOf(sent);
    }

    /** Their names, in the order in which they were sent. */
    List<String> names() {
        return sent().stream().map(BsonDocument::getFirstKey).toList();
    }
}
