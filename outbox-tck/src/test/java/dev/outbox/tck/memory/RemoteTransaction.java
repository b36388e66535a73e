package dev.outbox.tck.memory;

import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.StoreException;
import dev.outbox.tck.WriteTransaction;
import dev.outbox.tck.memory.MemoryOutboxServer.Connection;
import dev.outbox.tck.memory.Wire.Request;
import java.io.DataInputStream;
import java.io.IOException;

/** A transaction that lives on the server and as long as its connection. */
final class RemoteTransaction implements WriteTransaction {
    private final Connection connection;

    RemoteTransaction(Connection connection) {
        this.connection = connection;
    }

    @Override
    public PersistFunc persistFunc() {
        return this::persist;
    }

    @Override
    public Rows rows() {
        return new Rows() {
            @Override
            public void write(String name) throws IOException {
                connection.ask(Request.WRITE_ROW, out -> Wire.writeText(out, name), in -> true);
            }

            @Override
            public boolean isThere(String name) throws IOException {
                return connection.ask(Request.HAS_ROW, out -> Wire.writeText(out, name), DataInputStream::readBoolean);
            }
        };
    }

    private String persist(OutgoingMessage message) {
        try {
            return connection.ask(Request.PERSIST, out -> Wire.writeOutgoing(out, message), Wire::readText);
        } catch (IOException e) {
            throw new StoreException("The message was not written: " + e.getMessage(), e);
        }
    }

    @Override
    public void commit() throws IOException {
        connection.ask(Request.COMMIT, out -> {}, in -> true);
    }

    @Override
    public void rollback() throws IOException {
        connection.ask(Request.ROLLBACK, out -> {}, in -> true);
    }

    @Override
    public void close() throws IOException {
        connection.close();
    }
}
