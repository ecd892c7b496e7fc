(** * Separation lemmas of finite resolution: how many moments determine the neighbours (D1 and D2)

    In the frame of a tagged pair the triplet features are weighted moments of the neighbours' coordinates.
    D1: with non-zero weights w(x) common to all moments (a cutoff function), the moments of degree <= D determine
    any multisets X with |X| + |Y| <= D + 1, so D = 2N - 1 for N unknown neighbours.
    D2: with unit weights, degree <= N suffices.

    Idea of D1.  For a point z, the product of one affine function for each other point, vanishing there and not at z,
    has degree |X| + |Y| - 1 and leaves only the weight of z.
    Idea of D2.  On a line: power sums give the elementary symmetric functions (Newton), hence the polynomial
    with these roots.  In space: project on a direction in which no two of the points coincide. *)

From mathcomp Require Import all_ssreflect all_algebra.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Open Scope ring_scope.

Section Moments.
Variables (F : numFieldType) (d : nat).
Notation point := 'rV[F]_d.
Implicit Types (x y z : point) (X Y : seq point) (a : seq 'I_d).

(** A monomial is the list of its factors: degree = length. *)
Definition monomial a x : F := \prod_(i <- a) x 0 i.
Definition moment (w : point -> F) X a : F := \sum_(x <- X) w x * monomial a x.

(** Affine functions c + v.x *)
Definition affine (f : F * point) x : F := f.1 + \sum_i f.2 0 i * x 0 i.

Definition weighted (w : point -> F) (A : seq (F * point)) X a : F :=
  \sum_(x <- X) w x * (\prod_(f <- A) affine f x * monomial a x).

(** Equal moments up to degree D give equal sums of products of affine functions of total degree <= D. *)
Lemma affine_products v w X Y D :
  (forall a, (size a <= D)%N -> moment v X a = moment w Y a) ->
  forall A a, (size A + size a <= D)%N -> weighted v A X a = weighted w A Y a.
Proof.
move=> H; elim=> [|f A IH] a.
  rewrite add0n => /H E.
  have nil u Z : weighted u [::] Z a = moment u Z a by apply: eq_bigr => x _; rewrite big_nil mul1r.
  by rewrite !nil.
rewrite addSn => leD.
have expand u Z : weighted u (f :: A) Z a =
    f.1 * weighted u A Z a + \sum_i f.2 0 i * weighted u A Z (i :: a).
  rewrite /weighted mulr_sumr.
  rewrite (eq_bigr (fun i => \sum_(x <- Z) f.2 0 i * (u x * (\prod_(g <- A) affine g x * monomial (i :: a) x))));
    last by move=> i _; rewrite mulr_sumr.
  rewrite exchange_big -big_split /=; apply: eq_bigr => x _.
  rewrite big_cons {1}/affine !mulrDl mulrDr; congr (_ + _).
    by rewrite -!mulrA mulrCA.
  rewrite !mulr_suml mulr_sumr; apply: eq_bigr => i _.
  rewrite /monomial big_cons -!mulrA mulrCA; congr (_ * (_ * _)).
  by rewrite mulrCA.
rewrite !expand (IH a (ltnW leD)); congr (_ + _); apply: eq_bigr => i _.
by rewrite IH //= addnS.
Qed.

(** An affine function that vanishes at y and not at z. *)
Lemma separating_affine y z : y != z -> {f : F * point | affine f y = 0 & affine f z != 0}.
Proof.
move=> nyz; have /sigW [i nyzi] : exists i, y 0 i != z 0 i.
  apply/existsP; rewrite -negb_forall; apply: contra nyz => /forallP E.
  by apply/eqP/rowP => i; apply/eqP.
have at_x x : affine (- y 0 i, delta_mx 0 i) x = x 0 i - y 0 i.
  rewrite /affine /= (bigD1 i) //= big1 => [|j nj]; last by rewrite mxE eqxx (negPf nj) mul0r.
  by rewrite mxE !eqxx mul1r addr0 addrC.
exists (- y 0 i, delta_mx 0 i); rewrite at_x ?subrr //.
by rewrite subr_eq0 eq_sym.
Qed.

(** The product that vanishes at every point of a list except z. *)
Lemma separating_product z (s : seq point) :
  {A : seq (F * point) | size A = size [seq y <- s | y != z] &
    \prod_(f <- A) affine f z != 0 /\ forall y, y \in s -> y != z -> \prod_(f <- A) affine f y = 0}.
Proof.
elim: s => [|y s [A sA [Az As]]]; first by exists [::]; rewrite ?big_nil ?oner_eq0.
case: (eqVneq y z) => [->|nyz] /=.
  rewrite eqxx /=; exists A => //; split=> // u; rewrite inE => /orP [/eqP -> |]; first by rewrite eqxx.
  exact: As.
rewrite nyz /=; have [f fy fz] := separating_affine nyz.
exists (f :: A); rewrite /= ?sA //; split.
  by rewrite big_cons mulf_neq0.
move=> u; rewrite inE big_cons => /orP [/eqP -> | us nuz]; first by rewrite fy mul0r.
by rewrite (As u us nuz) mulr0.
Qed.

Lemma weighted_at_point w X z A (s : seq point) :
  {subset X <= s} -> (forall y, y \in s -> y != z -> \prod_(f <- A) affine f y = 0) ->
  weighted w A X [::] = (w z * \prod_(f <- A) affine f z) *+ count_mem z X.
Proof.
move=> sub vanish; rewrite /weighted.
rewrite (eq_bigr (fun x => (w x * \prod_(f <- A) affine f x))); last first.
  by move=> x _; rewrite /monomial big_nil mulr1.
elim: X sub => [|x X IH] sub; first by rewrite big_nil.
rewrite big_cons IH => [|u uX]; last by rewrite sub // inE uX orbT.
rewrite /=; case: (eqVneq x z) => [->|nxz]; first by rewrite add1n mulrS.
by rewrite vanish ?mulr0 ?add0r // sub // mem_head.
Qed.

Lemma separating_size z X Y D (A : seq (F * point)) :
  (size X + size Y <= D.+1)%N -> z \in X ++ Y -> size A = size [seq y <- X ++ Y | y != z] ->
  (size A + size (@nil 'I_d) <= D)%N.
Proof.
move=> sD zXY sA; rewrite addn0 sA size_filter -ltnS; apply: leq_trans sD; rewrite -size_cat.
rewrite -(count_predC (pred1 z)) -[X in (X < _)%N]add0n ltn_add2r.
by rewrite -has_count has_pred1.
Qed.

(** D1, for weights that are part of the unknowns: points and weights are determined. *)
Theorem weighted_moment_separation v w X Y D :
  uniq X -> uniq Y -> (forall x, x \in X -> v x != 0) -> (forall y, y \in Y -> w y != 0) ->
  (size X + size Y <= D.+1)%N ->
  (forall a, (size a <= D)%N -> moment v X a = moment w Y a) ->
  X =i Y /\ {in X, v =1 w}.
Proof.
move=> uX uY v0 w0 sD H.
have weight z : z \in X ++ Y -> v z *+ (z \in X) = w z *+ (z \in Y).
  move=> zXY; have [A sA [Az As]] := separating_product z (X ++ Y).
  have := affine_products H (a := [::]) (separating_size sD zXY sA).
  rewrite !(weighted_at_point _ (s := X ++ Y) _ As); try by move=> x xX; rewrite mem_cat xX ?orbT.
  by rewrite !count_uniq_mem // -!mulrnAl => /(mulIf Az).
have sub z : z \in X ++ Y -> (z \in X) = (z \in Y).
  move=> zXY; have := weight z zXY; have [zX|zX] := boolP (z \in X); have [zY|zY] := boolP (z \in Y) => //.
    by rewrite mulr1n mulr0n => /eqP; rewrite (negPf (v0 _ zX)).
  by rewrite mulr1n mulr0n => /eqP; rewrite eq_sym (negPf (w0 _ zY)).
split=> z.
  by case: (boolP (z \in X ++ Y)) => [/sub //|]; rewrite mem_cat negb_or => /andP [/negPf -> /negPf ->].
move=> zX; have zXY : z \in X ++ Y by rewrite mem_cat zX.
by have := weight z zXY; rewrite -(sub z zXY) zX !mulr1n.
Qed.

(** D1, for multisets of points that carry a weight by their position (a cutoff function). *)
Theorem moment_separation w X Y D :
  (forall x, x \in X ++ Y -> w x != 0) -> (size X + size Y <= D.+1)%N ->
  (forall a, (size a <= D)%N -> moment w X a = moment w Y a) -> perm_eq X Y.
Proof.
move=> w0 sD H; apply/allP => z zXY /=.
have [A sA [Az As]] := separating_product z (X ++ Y).
have := affine_products H (a := [::]) (separating_size sD zXY sA).
rewrite !(weighted_at_point w (s := X ++ Y) _ As); try by move=> x xX; rewrite mem_cat xX ?orbT.
have nz : w z * \prod_(f <- A) affine f z != 0 by rewrite mulf_neq0 ?w0.
by move/eqP; rewrite -[X in X == _]mulr_natr -[X in _ == X]mulr_natr (inj_eq (mulfI nz)) eqr_nat.
Qed.
End Moments.

(** ** Newton: power sums determine a multiset of scalars *)

Section Newton.
Variable F : numFieldType.
Implicit Types (s t : seq F) (c i k n : nat).

Definition power_sum s k : F := \sum_(x <- s) x ^+ k.
Definition root_poly s : {poly F} := \prod_(x <- s) ('X - x%:P).

Lemma root_poly_coef_big s i : (size s < i)%N -> (root_poly s)`_i = 0.
Proof. by move=> lt; rewrite nth_default // size_prod_XsubC. Qed.

(** Newton's identities, all at once: sum over i >= c of P_i p_(i-c) = c P_c. *)
Lemma newton_identity s c n :
  (size s <= n)%N ->
  \sum_(0 <= k < n.+1) (root_poly s)`_(c + k) * power_sum s k = (root_poly s)`_c *+ c.
Proof.
elim: s c n => [|y s IH] c n sn.
  rewrite big1 => [|k _]; last by rewrite /power_sum big_nil mulr0.
  by rewrite /root_poly big_nil coef1; case: c => [|c]; rewrite ?mulr0n // mul0rn.
have coef i : (root_poly (y :: s))`_i = (if i is j.+1 then (root_poly s)`_j else 0) - y * (root_poly s)`_i.
  by rewrite /root_poly big_cons mulrBl coefB coefXM coefCM; case: i.
have psum k : power_sum (y :: s) k = power_sum s k + y ^+ k by rewrite /power_sum big_cons addrC.
pose P := root_poly s; pose prev i := if i is j.+1 then P`_j else 0.
rewrite (eq_bigr (fun k => (prev (c + k)%N * power_sum s k - y * (P`_(c + k) * power_sum s k)) +
                           (prev (c + k)%N * y ^+ k - P`_(c + k) * y ^+ k.+1))); last first.
  by move=> k _; rewrite coef psum -/(prev _) -/P mulrDr !mulrBl exprS !mulrA [P`_ _ * y]mulrC.
rewrite big_split /= sumrB -mulr_sumr (IH c n (ltnW sn)).
have -> : \sum_(0 <= k < n.+1) (prev (c + k)%N * y ^+ k - P`_(c + k) * y ^+ k.+1) = prev c.
  rewrite (eq_bigr (fun k => - (prev (c + k.+1)%N * y ^+ k.+1 - prev (c + k)%N * y ^+ k))); last first.
    by move=> k _; rewrite opprB addnS.
  rewrite sumrN telescope_sumr // addn0 expr0 mulr1 addnS /=.
  by rewrite -/P root_poly_coef_big ?mul0r ?sub0r ?opprK //; apply: leq_trans sn (leq_addl _ _).
have -> : \sum_(0 <= k < n.+1) prev (c + k)%N * power_sum s k = prev c *+ c.-1.
  case: c => [|c] /=; last by rewrite -(IH c n (ltnW sn)); apply: eq_bigr.
  rewrite mul0rn big_nat_recl //= mul0r add0r.
  rewrite (eq_bigr (fun k => \sum_(x <- s) x * (P`_k * x ^+ k))); last first.
    by move=> k _; rewrite /power_sum mulr_sumr; apply: eq_bigr => x _; rewrite mulrCA exprS.
  rewrite exchange_big /= big_seq big1 // => x xs; rewrite -mulr_sumr.
  have <- : P.[x] = \sum_(0 <= k < n) P`_k * x ^+ k.
    rewrite (@horner_coef_wide _ n) ?big_mkord //.
    by rewrite size_prod_XsubC.
  by move: xs; rewrite -root_prod_XsubC => /rootP ->; rewrite mulr0.
rewrite coef -/(prev c) -/P; case: c => [|c]; first by rewrite !mulr0n mulr0 subr0 add0r.
by rewrite mulrnAr mulrnBl [prev c.+1 *+ c.+1]mulrSr addrAC.
Qed.

(** n - c is not 0 in F, so the coefficients follow from the top one downwards. *)
Lemma power_sums_root_poly s t n :
  size s = n -> size t = n -> (forall k, (k <= n)%N -> power_sum s k = power_sum t k) ->
  root_poly s = root_poly t.
Proof.
move=> ss st H; apply/polyP => c.
have coef_top u : size u = n -> (root_poly u)`_n = 1.
  by move=> su; have := monic_prod_XsubC u xpredT id; rewrite monicE lead_coefE size_prod_XsubC su /= => /eqP.
case: (ltnP n c) => [lt|]; first by rewrite !root_poly_coef_big // ?ss ?st.
move: {2}(n - c)%N (leqnn (n - c)%N) => m; elim: m c => [|m IH] c lem le.
  have -> : c = n by apply/eqP; rewrite eqn_leq le -subn_eq0 -leqn0.
  by rewrite !coef_top.
have [->|nc] := eqVneq c n; first by rewrite !coef_top.
have := newton_identity c (leqnn (size t)); rewrite st.
have := newton_identity c (leqnn (size s)); rewrite ss.
rewrite !big_nat_recl // addn0.
have -> : \sum_(0 <= k < n) (root_poly s)`_(c + k.+1) * power_sum s k.+1 =
          \sum_(0 <= k < n) (root_poly t)`_(c + k.+1) * power_sum t k.+1.
  apply: eq_big_nat => k /andP [_ kn]; rewrite H //; congr (_ * _).
  have [lt|le'] := ltnP n (c + k.+1); first by rewrite !root_poly_coef_big // ?ss ?st.
  rewrite IH // (leq_trans (leq_sub2l n (_ : (c.+1 <= c + k.+1)%N))) ?addnS ?ltnS ?leq_addr //.
  by rewrite subnS; case: (n - c)%N lem.
have mass u : size u = n -> power_sum u 0 = n%:R.
  move=> su; rewrite /power_sum (eq_bigr (fun=> 1)) => [|x _]; last by rewrite expr0.
  by rewrite big_const_seq count_predT su iter_addr_0.
rewrite !mass //; set rest := \sum_(_ <= _ < _) _ => Es Et.
have nz : (n - c)%:R != 0 :> F by rewrite pnatr_eq0 subn_eq0 -ltnNge ltn_neqAle nc.
have solve a : a * n%:R + rest = a *+ c -> a = - rest / (n - c)%:R.
  move=> E; apply: (mulIf nz); rewrite divfK // natrB // mulrBr; apply/eqP.
  by rewrite subr_eq [a * c%:R]mulr_natr -E addrCA addNr addr0.
by rewrite (solve _ Es) (solve _ Et).
Qed.

Lemma root_poly_perm s t : root_poly s = root_poly t -> perm_eq s t.
Proof.
elim: s t => [|x s IH] t E.
  suff /eqP : size t == 0%N by move/size0nil ->.
  by have := congr1 (fun p : {poly F} => size p) E; rewrite !size_prod_XsubC /= => -[<-].
have xt : x \in t by rewrite -root_prod_XsubC -/(root_poly t) -E /root_poly root_prod_XsubC mem_head.
apply: perm_trans (_ : perm_eq (x :: rem x t) t); last by rewrite perm_sym perm_to_rem.
rewrite perm_cons; apply: IH.
have nz : 'X - x%:P != 0 by rewrite polyXsubC_eq0.
apply: (mulfI nz); have := E; rewrite /root_poly big_cons => ->.
by rewrite (perm_big _ (perm_to_rem xt)) big_cons.
Qed.

(** Power sums up to the number of elements determine the multiset. *)
Theorem power_sums_determine s t n :
  (size s <= n)%N -> (size t <= n)%N -> (forall k, (k <= n)%N -> power_sum s k = power_sum t k) ->
  perm_eq s t.
Proof.
move=> sn tn H.
have size_of u : power_sum u 0 = (size u)%:R.
  rewrite /power_sum (eq_bigr (fun=> 1)) => [|x _]; last by rewrite expr0.
  by rewrite big_const_seq count_predT iter_addr_0.
have st : size t = size s.
  by apply/eqP; rewrite -(eqr_nat F) -!size_of H.
apply: root_poly_perm; apply: (power_sums_root_poly (erefl _) st) => k /leq_trans/(_ sn); exact: H.
Qed.
End Newton.

(** ** D2: unit weights in space, by projection on a generic direction *)

Section Unit.
Variables (F : numFieldType) (d : nat).
Notation point := 'rV[F]_d.
Implicit Types (x y z v : point) (X Y s : seq point).

Definition project v x : F := \sum_i v 0 i * x 0 i.

(** Powers (1, t, t^2, ..) of a number that is no root of finitely many polynomials. *)
Lemma generic_direction s : exists v, {in s &, injective (project v)}.
Proof.
pose p y z := rVpoly (y - z).
pose q := \prod_(y <- s) \prod_(z <- s | y != z) p y z.
have p0 y z : y != z -> p y z != 0.
  move=> nyz; apply: contra nyz => /eqP E; rewrite -subr_eq0 -[_ - _]rVpolyK -/(p y z) E.
  by rewrite linear0.
have q0 : q != 0.
  rewrite prodf_seq_neq0; apply/allP => y _ /=.
  by rewrite prodf_seq_neq0; apply/allP => z _; apply/implyP; apply: p0.
have [k _ kq] : exists2 k, k \in iota 0 (size q) & ~~ root q k%:R.
  apply/hasP; rewrite has_predC; apply/negP => /allP all_roots.
  have := @max_poly_roots _ q [seq k%:R | k <- iota 0 (size q)] q0.
  rewrite size_map size_iota ltnn => H; suff : false by [].
  apply: H; first by apply/allP => _ /mapP [k kq ->]; apply: all_roots.
  rewrite map_inj_uniq ?iota_uniq // => i j /eqP; rewrite eqr_nat => /eqP //.
exists (\row_i k%:R ^+ i) => y z ys zs E; apply/eqP; apply/negPn/negP => nyz.
case/negP: kq; rewrite /root /q horner_prod.
rewrite (big_rem y) //= horner_prod (big_rem z) //= nyz.
suff -> : (p y z).[k%:R] = 0 by rewrite !mul0r.
rewrite /p /rVpoly horner_poly.
transitivity (project (\row_i k%:R ^+ i) y - project (\row_i k%:R ^+ i) z); last by rewrite E subrr.
rewrite /project -sumrB; apply: eq_bigr => i _.
by rewrite valK !mxE -mulrBr mulrC.
Qed.

(** D2 *)
Theorem unit_moment_separation X Y n :
  (size X <= n)%N -> (size Y <= n)%N ->
  (forall a, (size a <= n)%N -> moment (fun=> 1) X a = moment (fun=> 1) Y a) -> perm_eq X Y.
Proof.
move=> Xn Yn H; have [v inj] := generic_direction (X ++ Y).
have P : perm_eq [seq project v x | x <- X] [seq project v y | y <- Y].
  apply: (@power_sums_determine _ _ _ n); rewrite ?size_map // => k kn.
  have power Z : power_sum [seq project v x | x <- Z] k = weighted (fun=> 1) (nseq k (0, v)) Z [::].
    rewrite /power_sum big_map; apply: eq_bigr => x _.
    rewrite mul1r /monomial big_nil mulr1 big_nseq /affine /= add0r -/(project v x).
    by elim: k {kn} => [|k IH]; rewrite ?expr0 //= exprS IH.
  by rewrite !power (affine_products H) // size_nseq addn0.
apply/allP => z zXY; apply/eqP.
have count Z : {subset Z <= X ++ Y} -> count_mem z Z = count_mem (project v z) [seq project v x | x <- Z].
  move=> sub; rewrite count_map; apply: eq_in_count => x xZ /=.
  by apply/eqP/eqP => [->|E] //; apply: inj => //; apply: sub.
rewrite !count; try by move=> x xZ; rewrite mem_cat xZ ?orbT.
by move/permP: P => ->.
Qed.
End Unit.

Print Assumptions weighted_moment_separation.
Print Assumptions moment_separation.
Print Assumptions power_sums_determine.
Print Assumptions unit_moment_separation.
