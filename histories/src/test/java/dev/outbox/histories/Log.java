package dev.outbox.histories;

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

/**
 * What all processes of a history write down, in the order in which it happened: a file opened for append, one write per
 * line, so that no line is torn by another and none is lost with a process that is killed.
 */
final class Log implements AutoCloseable {
    private final Path path;
    private final FileOutputStream file;
    private volatile boolean closed;

    // Guarded by this.
    private final List<Line> lines = new ArrayList<>();
    private long position;

    Log(Path path) throws IOException {
        this.path = path;
        this.file = new FileOutputStream(path.toFile(), true);
    }

    static Log empty(Path path) throws IOException {
        Files.createDirectories(path.toAbsolutePath().getParent());
        Files.deleteIfExists(path);
        return new Log(path);
    }

    Path path() {
        return path;
    }

    /** Safe for use by several threads. What comes after the end, when nobody reads any more, is dropped. */
    void add(Line line) {
        try {
            file.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            if (!closed) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** How many lines there are. */
    synchronized int size() throws IOException {
        read();
        return lines.size();
    }

    /** All lines behind the first ones. */
    synchronized List<Line> since(int size) throws IOException {
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
                    .map(Line::parse)
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
