package dev.outbox.processes;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * What all processes of a history write down, in the order in which it happened: a file that is opened for append, with
 * one write per line. So no line is torn by another, and none is lost with a process that is killed. Safe for use by
 * several threads.
 *
 * @param <L> a line; its {@code toString} is what is written
 */
public final class SharedLog<L> implements AutoCloseable {
    private final Path path;
    private final FileOutputStream file;
    private final Function<String, L> parser;
    private volatile boolean closed;

    // Guarded by this.
    private final List<L> lines = new ArrayList<>();
    private long position;

    private SharedLog(Path path, Function<String, L> parser) throws IOException {
        this.path = path;
        this.parser = parser;
        this.file = new FileOutputStream(path.toFile(), true);
    }

    /** The log that another process has begun. */
    public static <L> SharedLog<L> of(Path path, Function<String, L> parser) throws IOException {
        return new SharedLog<>(path, parser);
    }

    /** An empty log. */
    public static <L> SharedLog<L> empty(Path path, Function<String, L> parser) throws IOException {
        Files.createDirectories(path.toAbsolutePath().getParent());
        Files.deleteIfExists(path);
        return new SharedLog<>(path, parser);
    }

    /** Where it is. */
    public Path path() {
        return path;
    }

    /** Writes a line. A line that comes after the end is dropped, because nobody reads it. */
    public void add(L line) {
        try {
            file.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            if (!closed) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** How many lines there are. */
    public synchronized int size() throws IOException {
        read();
        return lines.size();
    }

    /** All lines after the first ones. */
    public synchronized List<L> since(int size) throws IOException {
        read();
        return List.copyOf(lines.subList(size, lines.size()));
    }

    private void read() throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            int length = Math.toIntExact(channel.size() - position);
            ByteBuffer chunk = ByteBuffer.allocate(length);
            while (chunk.hasRemaining()) {
                if (channel.read(chunk, position + chunk.position()) < 0) {
                    throw new IOException(path + " has become shorter");
                }
            }
            int end = length;
            while (end > 0 && chunk.get(end - 1) != '\n') {
                end--;
            }
            new String(chunk.array(), 0, end, StandardCharsets.UTF_8)
                    .lines()
                    .map(parser)
                    .forEach(lines::add);
            position += end;
        }
    }

    @Override
    public void close() throws IOException {
        closed = true;
        file.close();
    }
}
