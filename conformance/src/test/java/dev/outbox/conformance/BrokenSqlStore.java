package dev.outbox.conformance;

import dev.outbox.tck.StoreHarness;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/**
 * The store of the document with a mistake.
 *
 * @param idea what it does wrong; its name, too
 * @param mistakes what is changed
 * @param rules those it breaks, all of them and no others
 */
record BrokenSqlStore(String idea, List<Mistake> mistakes, Set<String> rules) {
    private static final Path BUILT = Path.of("target", "broken");

    /** Several are tried at a time: on a busy machine none loses its lease but by its mistake. */
    private static final Mistake LONGER_LEASE =
            new Mistake("HsqlHarness", "Duration.ofSeconds(2)", "Duration.ofSeconds(10)");

    private static final Map<String, Class<?>> HARNESSES = new ConcurrentHashMap<>();

    /** A text in a class, and what is there instead, wherever it is. */
    record Mistake(String type, String right, String wrong) {
        private String make(Path file, String text) {
            if (!file.endsWith(type + ".java")) {
                return text;
            }
            if (!text.contains(right)) {
                throw new AssertionError(file + " has no longer: " + right);
            }
            return text.replace(right, wrong);
        }
    }

    static BrokenSqlStore that(String idea) {
        return new BrokenSqlStore(idea, List.of(LONGER_LEASE), Set.of());
    }

    BrokenSqlStore with(String type, String right, String wrong) {
        List<Mistake> more = new ArrayList<>(mistakes);
        more.add(new Mistake(type, right, wrong));
        return new BrokenSqlStore(idea, List.copyOf(more), rules);
    }

    BrokenSqlStore breaks(String... broken) {
        return new BrokenSqlStore(idea, mistakes, Set.of(broken));
    }

    /** A harness of the store, which is compiled first if need be. */
    StoreHarness harness() {
        try {
            return (StoreHarness) HARNESSES
                    .computeIfAbsent(idea, name -> compile())
                    .getConstructor()
                    .newInstance();
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(String.valueOf(e.getMessage()), e);
        }
    }

    private Class<?> compile() {
        @Nullable JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        if (compiler == null) {
            throw new AssertionError("There is no compiler: the build needs a JDK.");
        }
        try {
            Path classes = BUILT.resolve(idea.replace(' ', '-')).resolve("classes");
            Files.createDirectories(classes);
            List<Path> sources = sources(BUILT.resolve(idea.replace(' ', '-')).resolve("sources"));
            StringWriter said = new StringWriter();
            boolean compiled = compiler.getTask(
                            said,
                            null,
                            null,
                            List.of("-proc:none", "-d", classes.toString()),
                            null,
                            compiler.getStandardFileManager(null, null, null).getJavaFileObjectsFromPaths(sources))
                    .call();
            if (!compiled) {
                throw new AssertionError("A store that " + idea + " does not compile: " + said);
            }
            return new URLClassLoader(
                            new URL[] {classes.toUri().toURL()}, getClass().getClassLoader())
                    .loadClass("com.example.outbox.HsqlHarness");
        } catch (IOException | ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }

    private List<Path> sources(Path folder) throws IOException {
        Files.createDirectories(folder);
        List<Path> sources = new ArrayList<>();
        try (Stream<Path> files = Files.walk(DocumentationTest.PROJECT)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java"))
                    .filter(f -> !f.endsWith("module-info.java") && !f.endsWith("HsqlStoreTest.java"))
                    .toList()) {
                String text = Files.readString(file).replace("\r\n", "\n");
                for (Mistake mistake : mistakes) {
                    text = mistake.make(file, text);
                }
                Path source = folder.resolve(file.getFileName());
                Files.writeString(source, text);
                sources.add(source);
            }
        }
        return sources;
    }

    @Override
    public String toString() {
        return idea;
    }
}
