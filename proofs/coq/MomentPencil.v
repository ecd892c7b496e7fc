(** * Atoms that polynomials of degree d tell apart are determined at degree 2d + 1 (D3)

    Let v and w be the weights of two sets of atoms, A and B the values of test functions (monomials of degree <= d)
    on them.  Equal moments of degree 2d and 2d + 1 read A V A^T = B W B^T and A V X_c A^T = B W Y_c B^T, where X_c
    and Y_c are the diagonal matrices of the coordinate c.  If A has a left inverse L, then S = L B satisfies
    V = S W S^T and S^T X_c = Y_c S^T: S is invertible, and S_ij is zero unless atom i of the one set is where atom j
    of the other is.  A permutation whose product of entries is not zero, one of the terms of det S, matches them.
    This is the uniqueness behind the matrix pencil method (Prony; Hua and Sarkar). *)

From mathcomp Require Import all_ssreflect fingroup perm all_algebra.
Require Import Symtrip.MomentSeparation.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Open Scope ring_scope.

Section Pencil.
Variables (F : fieldType) (m n : nat) (C : Type).
Variables (A B : 'M[F]_(m, n)) (v w : 'rV[F]_n) (x y : C -> 'rV[F]_n).

Theorem matrix_pencil :
  \rank A = n -> (forall i, v 0 i != 0) ->
  (forall i j, (forall c, x c 0 i = y c 0 j) -> forall a, A a i = B a j) ->
  A *m diag_mx v *m A^T = B *m diag_mx w *m B^T ->
  (forall c, A *m (diag_mx v *m diag_mx (x c)) *m A^T = B *m (diag_mx w *m diag_mx (y c)) *m B^T) ->
  exists s : 'S_n, forall i, (forall c, x c 0 i = y c 0 (s i)) /\ v 0 i = w 0 (s i).
Proof.
move=> rA v0 same H Hc.
have fA : row_full A by apply/eqP.
have [L LA] : exists L, L *m A = 1%:M by exists (pinvmx A); apply: mulVpmx.
have AL : A^T *m L^T = 1%:M by rewrite -trmx_mul LA trmx1.
have [S SE] : exists S, S = L *m B by exists (L *m B).
have project (D E : 'M[F]_n) : A *m D *m A^T = B *m E *m B^T -> D = S *m E *m S^T.
  move=> e; have : L *m (A *m D *m A^T) *m L^T = D.
    by rewrite !mulmxA LA mul1mx -mulmxA AL mulmx1.
  by rewrite e => <-; rewrite SE trmx_mul !mulmxA.
have VS := project _ _ H.
have uV : diag_mx v \in unitmx by rewrite unitmxE det_diag unitfE; apply/prodf_neq0.
have uSW : S *m diag_mx w \in unitmx by move: uV; rewrite VS unitmx_mul => /andP [].
have uS : S \in unitmx by move: uSW; rewrite unitmx_mul => /andP [].
have commute c : S^T *m diag_mx (x c) = diag_mx (y c) *m S^T.
  apply: (can_inj (mulKmx uSW)); rewrite mulmxA -VS (project _ _ (Hc c)).
  by rewrite !mulmxA.
have matched i j : S i j != 0 -> forall c, x c 0 i = y c 0 j.
  move=> nz c; move: (congr1 (fun M : 'M[F]_n => M j i) (commute c)).
  by rewrite mul_mx_diag mul_diag_mx !mxE mulrC => /(mulIf nz).
have [s sP] : exists s : 'S_n, \prod_i S i (s i) != 0.
  apply/existsP; apply: contraLR uS; rewrite negb_exists => /forallP zero.
  rewrite unitmxE unitfE negbK; apply/eqP; rewrite /determinant big1 // => s _.
  by move: (zero s); rewrite negbK => /eqP ->; rewrite mulr0.
exists s => i.
have nz k : S k (s k) != 0 by move/prodf_neq0: sP; apply.
have unit k l : S k (s l) = (k == l)%:R.
  have -> : S k (s l) = (L *m A) k l.
    by rewrite SE !mxE; apply: eq_bigr => a _; rewrite (same l (s l)) //; apply: matched.
  by rewrite LA mxE.
split; first exact: matched.
move: (congr1 (fun M : 'M[F]_n => M i i) VS); rewrite mxE eqxx mulr1n => ->.
rewrite mul_mx_diag mxE (bigD1 (s i)) //= big1 => [|j nj]; rewrite !mxE.
  by rewrite unit eqxx mul1r mulr1 addr0.
have [k jk] : exists k, j = s k by exists ((s^-1)%g j); rewrite permKV.
move: nj; rewrite jk (inj_eq perm_inj) => nk.
by rewrite unit eq_sym (negPf nk) mulr0.
Qed.
End Pencil.

Section FullRank.
Variables (F : numFieldType) (d : nat).
Notation point := 'rV[F]_d.
Implicit Types (X Y : seq point) (v w : point -> F).

(** The i-th atom of a list. *)
Definition atom X i : point := nth 0 X i.

(** The values of some monomials on the first N atoms of a list; row = monomial, column = atom. *)
Definition values N (basis : seq (seq 'I_d)) X : 'M[F]_(size basis, N) :=
  \matrix_(a, i) monomial (nth [::] basis a) (atom X i).

Lemma monomial_cat (a b : seq 'I_d) (x : point) : monomial (a ++ b) x = monomial a x * monomial b x.
Proof. by rewrite /monomial big_cat. Qed.

(** Weight of the i-th atom, 0 behind the end of the list. *)
Definition padded w X i : F := if (i < size X)%N then w (atom X i) else 0.

Lemma moment_padded w X N a : (size X <= N)%N ->
  moment w X a = \sum_(i < N) padded w X i * monomial a (atom X i).
Proof.
move=> sX; rewrite /moment (big_nth 0) big_mkord.
rewrite (big_ord_widen _ (fun i => w (nth 0 X i) * monomial a (nth 0 X i)) sX) big_mkcond.
by apply: eq_bigr => i _; rewrite /padded; case: ifP => // _; rewrite mul0r.
Qed.

(** D3: the monomials of degree <= D have full rank on X; Y has at most as many atoms. *)
Theorem full_rank_moment_separation v w X Y D (basis : seq (seq 'I_d)) :
  (forall a, a \in basis -> (size a <= D)%N) -> \rank (values (size X) basis X) = size X ->
  (forall x, x \in X -> v x != 0) -> (size Y <= size X)%N ->
  (forall a, (size a <= D.*2.+1)%N -> moment v X a = moment w Y a) ->
  perm_eq X Y /\ {in X, v =1 w}.
Proof.
move=> low full v0 sYX H; pose N := size X.
pose coordinate Z (c : 'I_d) : 'rV[F]_N := \row_i atom Z i 0 c.
pose weights u Z : 'rV[F]_N := \row_i padded u Z i.
have sandwich Z (e : 'rV[F]_N) a b :
    (values N basis Z *m diag_mx e *m (values N basis Z)^T) a b =
    \sum_i e 0 i * monomial (nth [::] basis a ++ nth [::] basis b) (atom Z i).
  rewrite mul_mx_diag mxE; apply: eq_bigr => i _.
  by rewrite !mxE monomial_cat mulrAC mulrC.
have degree a b : (size (nth [::] basis a ++ nth [::] basis b) <= D.*2)%N.
  have small k : (size (nth [::] basis k) <= D)%N.
    by case: (ltnP k (size basis)) => k_in; [apply/low/mem_nth | rewrite nth_default].
  by rewrite size_cat -addnn leq_add.
have [//|i|i j E a|||s sP] := @matrix_pencil F (size basis) N 'I_d (values N basis X) (values N basis Y)
    (weights v X) (weights w Y) (coordinate X) (coordinate Y).
- by rewrite mxE /padded ltn_ord v0 // mem_nth.
- by rewrite !mxE; congr (monomial _ _); apply/rowP => c; move: (E c); rewrite !mxE.
- apply/matrixP => a b; rewrite !sandwich.
  transitivity (moment v X (nth [::] basis a ++ nth [::] basis b)); last first.
    rewrite H ?(leq_trans (degree _ _)) // (moment_padded _ _ sYX).
    by apply: eq_bigr => i _; rewrite mxE.
  by rewrite (moment_padded _ _ (leqnn _)); apply: eq_bigr => i _; rewrite mxE.
- move=> c; apply/matrixP => a b.
  have weighted_diag (e f : 'rV[F]_N) : diag_mx e *m diag_mx f = diag_mx (\row_i (e 0 i * f 0 i)).
    by apply/matrixP => i j; rewrite mul_diag_mx !mxE mulrnAr.
  have step u Z i : (weights u Z) 0 i * (coordinate Z c) 0 i * monomial (nth [::] basis a ++ nth [::] basis b) (atom Z i)
      = padded u Z i * monomial (c :: nth [::] basis a ++ nth [::] basis b) (atom Z i).
    by rewrite !mxE /monomial big_cons mulrA.
  rewrite !weighted_diag !sandwich.
  transitivity (moment v X (c :: nth [::] basis a ++ nth [::] basis b)); last first.
    rewrite H ?ltnS // (moment_padded _ _ sYX).
    by apply: eq_bigr => i _; rewrite mxE step.
  by rewrite (moment_padded _ _ (leqnn _)); apply: eq_bigr => i _; rewrite mxE step.
have same (i : 'I_N) : atom X i = atom Y (s i).
  by apply/rowP => c; move: ((sP i).1 c); rewrite !mxE.
have weight (i : 'I_N) : v (atom X i) = padded w Y (s i).
  by move: (sP i).2; rewrite !mxE /padded ltn_ord.
have inside (i : 'I_N) : (s i < size Y)%N.
  apply: contraTT isT => out; move: (weight i); rewrite /padded (negPf out) => /eqP.
  by rewrite (negPf (v0 _ (mem_nth _ (ltn_ord i)))).
have sY : size Y = N.
  apply/eqP; rewrite eqn_leq sYX /= leqNgt; apply/negP => lt.
  by have := inside ((s^-1)%g (Ordinal lt)); rewrite permKV ltnn.
have list Z : size Z = N -> Z = [seq atom Z i | i : 'I_N <- enum 'I_N].
  by move=> sZ; rewrite -{1}(mkseq_nth 0 Z) /mkseq sZ -val_enum_ord -map_comp.
split.
  rewrite {1}(list X) // {1}(list Y) // (eq_map same) (map_comp (atom Y \o val) s) perm_map //.
  rewrite uniq_perm ?(map_inj_uniq perm_inj) ?enum_uniq // => i.
  rewrite mem_enum; apply/mapP; exists ((s^-1)%g i); rewrite ?mem_enum ?permKV //.
move=> x xX; have lt : (index x X < N)%N by rewrite index_mem.
have := weight (Ordinal lt); rewrite /padded inside -same /= /atom nth_index //.
Qed.
End FullRank.

Print Assumptions matrix_pencil.
Print Assumptions full_rank_moment_separation.
